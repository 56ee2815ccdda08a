import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.connector.sink.SinkFunctionProvider;
import org.apache.flink.table.connector.sink.abilities.SupportsPartitioning;
import org.apache.flink.table.factories.DynamicTableSinkFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.logical.LogicalType;

/** The options of Flink's `dynamodb` table connector that the job uses, on an emulator: texts and whole numbers. */
public final class DynamoDbTableFactory implements DynamicTableSinkFactory {
    private static final ConfigOption<String> TABLE = ConfigOptions.key("table-name").stringType().noDefaultValue();
    private static final ConfigOption<String> REGION = ConfigOptions.key("aws.region").stringType().noDefaultValue();
    private static final ConfigOption<String> ENDPOINT = ConfigOptions.key("aws.endpoint").stringType().noDefaultValue();

    @Override
    public String factoryIdentifier() {
        return "dynamodb";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(TABLE, REGION, ENDPOINT);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of();
    }

    @Override
    public DynamicTableSink createDynamicTableSink(Context context) {
        FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
        helper.validate();
        List<Column> columns = context.getCatalogTable().getResolvedSchema().getColumns();
        return new Sink(
                helper.getOptions(),
                columns.stream().map(Column::getName).toArray(String[]::new),
                columns.stream().map(column -> column.getDataType().getLogicalType()).toArray(LogicalType[]::new));
    }

    private record Sink(ReadableConfig options, String[] names, LogicalType[] types) implements DynamicTableSink, SupportsPartitioning {
        @Override
        public ChangelogMode getChangelogMode(ChangelogMode requested) {
            return ChangelogMode.upsert();
        }

        @Override
        public SinkRuntimeProvider getSinkRuntimeProvider(Context context) {
            Aws client = new Aws(options.get(ENDPOINT), options.get(REGION), "dynamodb", "DynamoDB_20120810", "1.0");
            return SinkFunctionProvider.of(new DynamoDbSink(client, options.get(TABLE), names, types));
        }

        @Override
        public void applyStaticPartition(Map<String, String> partition) {}

        @Override
        public DynamicTableSink copy() {
            return this;
        }

        @Override
        public String asSummaryString() {
            return "DynamoDB of an emulator";
        }
    }
}

import java.util.Set;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamSource;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.transformations.SourceTransformation;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.ProviderContext;
import org.apache.flink.table.connector.source.DataStreamScanProvider;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.connector.source.abilities.SupportsWatermarkPushDown;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;

/**
 * The table connector `kinesis-by-shard`: the source of `kinesis`, with a watermark of its own for each shard.
 *
 * <p>The source of `kinesis` has one watermark for all shards that a task reads. While a task catches up, the shard that it
 * reads fastest moves that watermark, and the events of the others are dropped as late. Here Flink takes the earliest
 * watermark of the task's shards.
 */
public final class KinesisByShardFactory implements DynamicTableSourceFactory {
    @Override
    public String factoryIdentifier() {
        return "kinesis-by-shard";
    }

    // The connector `kinesis` checks all options.
    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of();
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of();
    }

    @Override
    public DynamicTableSource createDynamicTableSource(Context context) {
        DynamicTableSourceFactory kinesis =
                FactoryUtil.discoverFactory(context.getClassLoader(), DynamicTableSourceFactory.class, "kinesis");
        return new ByShard((ScanTableSource) kinesis.createDynamicTableSource(context), WatermarkStrategy.noWatermarks());
    }

    private static final class ByShard implements ScanTableSource, SupportsWatermarkPushDown {
        private final ScanTableSource kinesis;
        private WatermarkStrategy<RowData> watermarks;

        ByShard(ScanTableSource kinesis, WatermarkStrategy<RowData> watermarks) {
            this.kinesis = kinesis;
            this.watermarks = watermarks;
        }

        @Override
        public void applyWatermark(WatermarkStrategy<RowData> strategy) {
            watermarks = strategy;
        }

        @Override
        public ChangelogMode getChangelogMode() {
            return kinesis.getChangelogMode();
        }

        @Override
        public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
            DataStreamScanProvider provider = (DataStreamScanProvider) kinesis.getScanRuntimeProvider(context);
            return new DataStreamScanProvider() {
                @Override
                public DataStream<RowData> produceDataStream(ProviderContext names, StreamExecutionEnvironment environment) {
                    SourceTransformation<RowData, ?, ?> made = (SourceTransformation<RowData, ?, ?>)
                            provider.produceDataStream(names, environment).getTransformation();
                    DataStreamSource<RowData> stream = environment.fromSource(
                            made.getSource(), watermarks, "kinesis-by-shard", made.getOutputType());
                    names.generateUid("kinesis-by-shard").ifPresent(stream::uid);
                    return stream;
                }

                @Override
                public boolean isBounded() {
                    return provider.isBounded();
                }
            };
        }

        @Override
        public DynamicTableSource copy() {
            return new ByShard((ScanTableSource) kinesis.copy(), watermarks);
        }

        @Override
        public String asSummaryString() {
            return "Kinesis with a watermark for each shard";
        }
    }
}

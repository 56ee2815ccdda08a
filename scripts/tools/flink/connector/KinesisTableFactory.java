import java.text.ParseException;
import java.text.SimpleDateFormat;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.connector.base.table.AsyncDynamicTableSinkFactory;
import org.apache.flink.connector.base.table.AsyncSinkConnectorOptions;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.ProviderContext;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.format.EncodingFormat;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.connector.sink.SinkV2Provider;
import org.apache.flink.table.connector.sink.abilities.SupportsPartitioning;
import org.apache.flink.table.connector.source.DataStreamScanProvider;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.factories.SerializationFormatFactory;
import org.apache.flink.table.types.DataType;

/**
 * A test double of AWS's table connector `kinesis` 5.1.0, for an emulator.
 *
 * <p>It takes the options that the real connector knows. It refuses all others, where the real connector ignores what it does
 * not know below `aws.`, `source.` and `sink.`: a misspelt option fails here.
 */
public final class KinesisTableFactory extends AsyncDynamicTableSinkFactory implements DynamicTableSourceFactory {
    /** Where the first start begins. */
    enum Position { LATEST, TRIM_HORIZON, AT_TIMESTAMP }

    /** How records are fetched. */
    enum ReaderType { POLLING, EFO }

    private static final ConfigOption<String> ARN = text("stream.arn");
    private static final ConfigOption<String> REGION = text("aws.region");
    private static final ConfigOption<String> ENDPOINT = text("aws.endpoint");
    private static final ConfigOption<Position> POSITION =
            ConfigOptions.key("source.init.position").enumType(Position.class).defaultValue(Position.LATEST);
    private static final ConfigOption<String> TIMESTAMP = text("source.init.timestamp");
    private static final ConfigOption<String> TIMESTAMP_FORMAT =
            ConfigOptions.key("source.init.timestamp.format").stringType().defaultValue("yyyy-MM-dd'T'HH:mm:ss.SSSXXX");
    private static final ConfigOption<Duration> DISCOVERY = duration("source.shard.discovery.interval", 10_000);
    private static final ConfigOption<Integer> MAX_RECORDS = number("source.shard.get-records.max-record-count", 10_000);
    private static final ConfigOption<Duration> EMPTY_FETCH = duration("source.reader.empty-records-fetch-interval", 250);
    private static final ConfigOption<ReaderType> READER =
            ConfigOptions.key("source.reader.type").enumType(ReaderType.class).defaultValue(ReaderType.POLLING);

    /** Options that change nothing on an emulator. */
    private static final Set<ConfigOption<?>> IDLE = Set.of(
            text("aws.credentials.provider"), text("aws.trust.all.certificates"), text("aws.http.protocol.version"),
            number("aws.http-client.max-concurrency", 10_000), number("aws.http-client.read-timeout", 360_000),
            text("source.shard-assigner"), text("source.efo.lifecycle"), text("source.efo.consumer.name"),
            duration("source.efo.subscription.timeout", 60_000), duration("source.efo.deregister.timeout", 10_000),
            duration("source.efo.describe.retry-strategy.delay.min", 2_000),
            duration("source.efo.describe.retry-strategy.delay.max", 60_000),
            number("source.efo.describe.retry-strategy.attempts.max", 100),
            text("sink.partitioner"), text("sink.partitioner-field-delimiter"), text("sink.fail-on-error"),
            text("sink.http-client.max-concurrency"), text("sink.http-client.read-timeout"),
            text("sink.http-client.protocol.version"));

    private static ConfigOption<String> text(String key) {
        return ConfigOptions.key(key).stringType().noDefaultValue();
    }

    private static ConfigOption<Integer> number(String key, int value) {
        return ConfigOptions.key(key).intType().defaultValue(value);
    }

    private static ConfigOption<Duration> duration(String key, long millis) {
        return ConfigOptions.key(key).durationType().defaultValue(Duration.ofMillis(millis));
    }

    @Override
    public String factoryIdentifier() {
        return "kinesis";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(ARN, REGION, FactoryUtil.FORMAT);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        Set<ConfigOption<?>> options = new HashSet<>(super.optionalOptions());
        options.addAll(IDLE);
        options.addAll(List.of(
                ENDPOINT, POSITION, TIMESTAMP, TIMESTAMP_FORMAT, DISCOVERY, MAX_RECORDS, EMPTY_FETCH, READER));
        return options;
    }

    private static Aws client(ReadableConfig options) {
        String endpoint = options.getOptional(ENDPOINT)
                .orElseThrow(() -> new ValidationException("aws.endpoint: this connector reads from an emulator only"));
        return new Aws(endpoint, options.get(REGION), "kinesis", "Kinesis_20131202", "1.1");
    }

    @Override
    public DynamicTableSource createDynamicTableSource(Context context) {
        FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
        DecodingFormat<DeserializationSchema<RowData>> format =
                helper.discoverDecodingFormat(DeserializationFormatFactory.class, FactoryUtil.FORMAT);
        helper.validate();
        ReadableConfig options = helper.getOptions();
        if (options.get(READER) == ReaderType.EFO) {
            throw new ValidationException("source.reader.type: the SQL jar of 5.1.0 lacks a class that EFO needs");
        }
        return new Source(options, format, context.getPhysicalRowDataType());
    }

    @Override
    public DynamicTableSink createDynamicTableSink(Context context) {
        FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
        EncodingFormat<SerializationSchema<RowData>> format =
                helper.discoverEncodingFormat(SerializationFormatFactory.class, FactoryUtil.FORMAT);
        helper.validate();
        DataType type = context.getPhysicalRowDataType();
        int key = DataType.getFieldNames(type).indexOf(context.getCatalogTable().getPartitionKeys().get(0));
        return new Sink(helper.getOptions(), format, type, key);
    }

    private static double startSeconds(ReadableConfig options) {
        String given = options.getOptional(TIMESTAMP)
                .orElseThrow(() -> new ValidationException("source.init.timestamp is missing"));
        try {
            return new SimpleDateFormat(options.get(TIMESTAMP_FORMAT)).parse(given).getTime() / 1000.0;
        } catch (ParseException noDate) {
            return Double.parseDouble(given);
        }
    }

    private record Source(ReadableConfig options, DecodingFormat<DeserializationSchema<RowData>> format, DataType type)
            implements ScanTableSource {
        @Override
        public ChangelogMode getChangelogMode() {
            return format.getChangelogMode();
        }

        @Override
        public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
            Position position = options.get(POSITION);
            KinesisSource source = new KinesisSource(
                    client(options),
                    options.get(ARN),
                    position,
                    position == Position.AT_TIMESTAMP ? startSeconds(options) : 0,
                    options.get(DISCOVERY).toMillis(),
                    options.get(EMPTY_FETCH).toMillis(),
                    options.get(MAX_RECORDS),
                    format.createRuntimeDecoder(context, type));
            return new DataStreamScanProvider() {
                @Override
                public DataStream<RowData> produceDataStream(ProviderContext names, StreamExecutionEnvironment environment) {
                    return environment.fromSource(
                            source, WatermarkStrategy.noWatermarks(), "Kinesis source", source.type());
                }

                @Override
                public boolean isBounded() {
                    return false;
                }
            };
        }

        @Override
        public DynamicTableSource copy() {
            return this;
        }

        @Override
        public String asSummaryString() {
            return "Kinesis of an emulator";
        }
    }

    private record Sink(
            ReadableConfig options, EncodingFormat<SerializationSchema<RowData>> format, DataType type, int key)
            implements DynamicTableSink, SupportsPartitioning {
        @Override
        public ChangelogMode getChangelogMode(ChangelogMode requested) {
            return ChangelogMode.insertOnly();
        }

        @Override
        public SinkRuntimeProvider getSinkRuntimeProvider(Context context) {
            SerializationSchema<RowData> encoder = format.createRuntimeEncoder(context, type);
            return SinkV2Provider.of(new KinesisSink(
                    client(options),
                    options.get(ARN),
                    encoder,
                    key,
                    options.getOptional(AsyncSinkConnectorOptions.MAX_BATCH_SIZE).orElse(500),
                    options.getOptional(AsyncSinkConnectorOptions.MAX_IN_FLIGHT_REQUESTS).orElse(50),
                    options.getOptional(AsyncSinkConnectorOptions.MAX_BUFFERED_REQUESTS).orElse(10_000),
                    options.getOptional(AsyncSinkConnectorOptions.FLUSH_BUFFER_SIZE).orElse(5L * 1024 * 1024),
                    options.getOptional(AsyncSinkConnectorOptions.FLUSH_BUFFER_TIMEOUT).orElse(5_000L)));
        }

        @Override
        public void applyStaticPartition(Map<String, String> partition) {}

        @Override
        public DynamicTableSink copy() {
            return this;
        }

        @Override
        public String asSummaryString() {
            return "Kinesis of an emulator";
        }
    }
}

import java.util.Base64;
import java.util.UUID;
import org.apache.flink.api.common.serialization.RuntimeContextInitializationContextAdapters;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.streaming.api.functions.sink.RichSinkFunction;
import org.apache.flink.table.data.RowData;

/** Writes each row to a stream at once. */
final class KinesisSink extends RichSinkFunction<RowData> {
    private final Aws kinesis;
    private final String arn;
    private final SerializationSchema<RowData> encoder;

    KinesisSink(Aws kinesis, String arn, SerializationSchema<RowData> encoder) {
        this.kinesis = kinesis;
        this.arn = arn;
        this.encoder = encoder;
    }

    @Override
    public void open(Configuration parameters) throws Exception {
        encoder.open(RuntimeContextInitializationContextAdapters.serializationAdapter(getRuntimeContext()));
    }

    @Override
    public void invoke(RowData row, Context context) throws Exception {
        ObjectNode request = Aws.JSON.createObjectNode().put("StreamARN", arn);
        ObjectNode record = request.putArray("Records").addObject();
        record.put("PartitionKey", UUID.randomUUID().toString());
        record.put("Data", Base64.getEncoder().encodeToString(encoder.serialize(row)));
        kinesis.call("PutRecords", request);
    }
}

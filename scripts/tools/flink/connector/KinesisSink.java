import java.util.Base64;
import org.apache.flink.api.common.serialization.RuntimeContextInitializationContextAdapters;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.streaming.api.functions.sink.RichSinkFunction;
import org.apache.flink.table.data.RowData;

/** Writes each row to a stream at once; a text column is its partition key. */
final class KinesisSink extends RichSinkFunction<RowData> {
    private final Aws kinesis;
    private final String arn;
    private final SerializationSchema<RowData> encoder;
    private final int key;

    KinesisSink(Aws kinesis, String arn, SerializationSchema<RowData> encoder, int key) {
        this.kinesis = kinesis;
        this.arn = arn;
        this.encoder = encoder;
        this.key = key;
    }

    @Override
    public void open(Configuration parameters) throws Exception {
        encoder.open(RuntimeContextInitializationContextAdapters.serializationAdapter(getRuntimeContext()));
    }

    @Override
    public void invoke(RowData row, Context context) throws Exception {
        ObjectNode request = Aws.JSON.createObjectNode().put("StreamARN", arn);
        ObjectNode record = request.putArray("Records").addObject();
        record.put("PartitionKey", row.getString(key).toString());
        record.put("Data", Base64.getEncoder().encodeToString(encoder.serialize(row)));
        kinesis.call("PutRecords", request);
    }
}

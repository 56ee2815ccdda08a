import java.io.IOException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.streaming.api.functions.sink.RichSinkFunction;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.types.RowKind;

/** Puts each row as an item at once; the item of its key is replaced. */
final class DynamoDbSink extends RichSinkFunction<RowData> {
    private final Aws dynamodb;
    private final String table;
    private final String[] names;
    private final LogicalType[] types;

    DynamoDbSink(Aws dynamodb, String table, String[] names, LogicalType[] types) {
        this.dynamodb = dynamodb;
        this.table = table;
        this.names = names;
        this.types = types;
    }

    @Override
    public void invoke(RowData row, Context context) throws Exception {
        if (row.getRowKind() == RowKind.DELETE) {
            throw new IOException("The job's rows are never deleted; DynamoDB does that at expires_at.");
        }
        ObjectNode request = Aws.JSON.createObjectNode();
        ObjectNode put = request.putObject("RequestItems").putArray(table).addObject().putObject("PutRequest");
        ObjectNode item = put.putObject("Item");
        for (int index = 0; index < names.length; index++) {
            Object value = RowData.createFieldGetter(types[index], index).getFieldOrNull(row);
            if (value != null) {
                item.putObject(names[index]).put(value instanceof Number ? "N" : "S", value.toString());
            }
        }
        if (dynamodb.call("BatchWriteItem", request).path("UnprocessedItems").size() > 0) {
            throw new IOException("DynamoDB did not take an item of " + table);
        }
    }
}

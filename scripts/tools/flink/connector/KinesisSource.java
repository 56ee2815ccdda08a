import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.serialization.RuntimeContextInitializationContextAdapters;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.source.RichParallelSourceFunction;
import org.apache.flink.table.data.RowData;

/** Reads a stream's shards; each belongs to one subtask, and checkpoints hold how far it was read. */
final class KinesisSource extends RichParallelSourceFunction<RowData> implements CheckpointedFunction {
    private static final long DISCOVERY_MILLIS = 5000;
    private static final long IDLE_MILLIS = 200;

    private final Aws kinesis;
    private final String arn;
    private final String position;
    private final DeserializationSchema<RowData> decoder;
    private final Map<String, String> read = new HashMap<>();
    private transient ListState<Tuple2<String, String>> state;
    private transient Map<String, String> iterators;
    private volatile boolean running = true;
    private boolean restored;

    KinesisSource(Aws kinesis, String arn, String position, DeserializationSchema<RowData> decoder) {
        this.kinesis = kinesis;
        this.arn = arn;
        this.position = position;
        this.decoder = decoder;
    }

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        state = context.getOperatorStateStore()
                .getUnionListState(new ListStateDescriptor<>("read", Types.TUPLE(Types.STRING, Types.STRING)));
        restored = context.isRestored();
        for (Tuple2<String, String> shard : state.get()) {
            read.put(shard.f0, shard.f1);
        }
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        state.clear();
        for (Map.Entry<String, String> shard : read.entrySet()) {
            if (iterators != null && iterators.containsKey(shard.getKey())) {
                state.add(Tuple2.of(shard.getKey(), shard.getValue()));
            }
        }
    }

    @Override
    public void open(Configuration parameters) throws Exception {
        decoder.open(RuntimeContextInitializationContextAdapters.deserializationAdapter(getRuntimeContext()));
        iterators = new HashMap<>();
        discover(position);
    }

    @Override
    public void run(SourceContext<RowData> context) throws Exception {
        long discovered = System.currentTimeMillis();
        while (running) {
            boolean idle = true;
            for (String shard : Map.copyOf(iterators).keySet()) {
                idle &= readOnce(shard, context) == 0;
            }
            if (System.currentTimeMillis() - discovered > DISCOVERY_MILLIS) {
                discover("TRIM_HORIZON");
                discovered = System.currentTimeMillis();
            }
            if (idle) {
                Thread.sleep(IDLE_MILLIS);
            }
        }
    }

    @Override
    public void cancel() {
        running = false;
    }

    private int readOnce(String shard, SourceContext<RowData> context) throws Exception {
        String iterator = iterators.get(shard);
        if (iterator.isEmpty()) {
            return 0;
        }
        ObjectNode request = Aws.JSON.createObjectNode().put("ShardIterator", iterator).put("Limit", 5000);
        JsonNode answer = kinesis.call("GetRecords", request);
        for (JsonNode record : answer.get("Records")) {
            RowData row = decoder.deserialize(Base64.getDecoder().decode(record.get("Data").asText()));
            synchronized (context.getCheckpointLock()) {
                if (row != null) {
                    context.collect(row);
                }
                read.put(shard, record.get("SequenceNumber").asText());
            }
        }
        iterators.put(shard, answer.path("NextShardIterator").asText(""));
        return answer.get("Records").size();
    }

    private void discover(String newShardsFrom) throws Exception {
        JsonNode shards = kinesis.call("ListShards", Aws.JSON.createObjectNode().put("StreamARN", arn)).get("Shards");
        int tasks = getRuntimeContext().getTaskInfo().getNumberOfParallelSubtasks();
        int task = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
        for (int index = 0; index < shards.size(); index++) {
            String shard = shards.get(index).get("ShardId").asText();
            if (index % tasks == task && !iterators.containsKey(shard)) {
                iterators.put(shard, iterator(shard, restored ? "TRIM_HORIZON" : newShardsFrom));
            }
        }
    }

    private String iterator(String shard, String from) throws Exception {
        ObjectNode request = Aws.JSON.createObjectNode().put("StreamARN", arn).put("ShardId", shard);
        if (read.containsKey(shard)) {
            request.put("ShardIteratorType", "AFTER_SEQUENCE_NUMBER").put("StartingSequenceNumber", read.get(shard));
        } else {
            request.put("ShardIteratorType", from);
        }
        return kinesis.call("GetShardIterator", request).get("ShardIterator").asText();
    }
}

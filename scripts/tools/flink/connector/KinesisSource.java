import java.io.IOException;
import java.io.Serializable;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.table.data.RowData;
import org.apache.flink.util.InstantiationUtil;
import org.apache.flink.util.UserCodeClassLoader;

/**
 * Reads a stream's shards as the real source does.
 *
 * <p>Shards are assigned by their range of hash keys, once all tasks are there and the next discovery comes: seconds after the
 * start. A child is assigned when its parents are read to their end. A task reads its shards in turn, a request each; after an
 * empty answer a shard waits.
 */
final class KinesisSource implements Source<RowData, KinesisSource.Shard, KinesisSource.Known> {
    private static final BigInteger HASH_KEYS = BigInteger.TWO.pow(128);
    private static final int PAUSE_MILLIS = 20;

    private final Aws kinesis;
    private final String arn;
    private final KinesisTableFactory.Position position;
    private final double startSeconds;
    private final long discoveryMillis;
    private final long emptyMillis;
    private final int maxRecords;
    private final DeserializationSchema<RowData> decoder;

    KinesisSource(Aws kinesis, String arn, KinesisTableFactory.Position position, double startSeconds, long discoveryMillis,
            long emptyMillis, int maxRecords, DeserializationSchema<RowData> decoder) {
        this.kinesis = kinesis;
        this.arn = arn;
        this.position = position;
        this.startSeconds = startSeconds;
        this.discoveryMillis = discoveryMillis;
        this.emptyMillis = emptyMillis;
        this.maxRecords = maxRecords;
        this.decoder = decoder;
    }

    TypeInformation<RowData> type() {
        return decoder.getProducedType();
    }

    /**
     * A shard and how far it was read: after a sequence number, else from a moment, else (0) from its beginning. One that was
     * read to its end stays in the state until a checkpoint is complete.
     */
    record Shard(String id, List<String> parents, BigInteger middle, double fromSeconds, String after, boolean finished)
            implements SourceSplit, Serializable {
        @Override
        public String splitId() {
            return id;
        }

        Shard read(String sequenceNumber) {
            return new Shard(id, parents, middle, fromSeconds, sequenceNumber, false);
        }

        Shard toTheEnd() {
            return new Shard(id, parents, middle, fromSeconds, after, true);
        }
    }

    /** What the enumerator remembers: shards that are not finished, which of them are assigned, the last one discovered. */
    static final class Known implements Serializable {
        private final TreeMap<String, Shard> shards = new TreeMap<>();
        private final TreeSet<String> assigned = new TreeSet<>();
        private String last = "";
    }

    /** A reader read these shards to their end. */
    record Finished(String id) implements SourceEvent {}

    @Override
    public Boundedness getBoundedness() {
        return Boundedness.CONTINUOUS_UNBOUNDED;
    }

    @Override
    public SplitEnumerator<Shard, Known> createEnumerator(SplitEnumeratorContext<Shard> context) {
        return new Enumerator(context, new Known());
    }

    @Override
    public SplitEnumerator<Shard, Known> restoreEnumerator(SplitEnumeratorContext<Shard> context, Known known) {
        return new Enumerator(context, known);
    }

    @Override
    public SourceReader<RowData, Shard> createReader(SourceReaderContext context) throws Exception {
        decoder.open(new DeserializationSchema.InitializationContext() {
            @Override
            public MetricGroup getMetricGroup() {
                return context.metricGroup();
            }

            @Override
            public UserCodeClassLoader getUserCodeClassLoader() {
                return context.getUserCodeClassLoader();
            }
        });
        return new Reader(context);
    }

    @Override
    public SimpleVersionedSerializer<Shard> getSplitSerializer() {
        return new Serializer<>();
    }

    @Override
    public SimpleVersionedSerializer<Known> getEnumeratorCheckpointSerializer() {
        return new Serializer<>();
    }

    private static final class Serializer<T> implements SimpleVersionedSerializer<T> {
        @Override
        public int getVersion() {
            return 1;
        }

        @Override
        public byte[] serialize(T value) throws IOException {
            return InstantiationUtil.serializeObject(value);
        }

        @Override
        public T deserialize(int version, byte[] bytes) throws IOException {
            try {
                return InstantiationUtil.deserializeObject(bytes, KinesisSource.class.getClassLoader());
            } catch (ClassNotFoundException error) {
                throw new IOException(error);
            }
        }
    }

    private final class Enumerator implements SplitEnumerator<Shard, Known> {
        private final SplitEnumeratorContext<Shard> context;
        private final Known known;

        Enumerator(SplitEnumeratorContext<Shard> context, Known known) {
            this.context = context;
            this.known = known;
        }

        @Override
        public void start() {
            if (known.last.isEmpty()) {
                double now = Instant.now().toEpochMilli() / 1000.0;
                double from = switch (position) {
                    case LATEST -> now;
                    case AT_TIMESTAMP -> startSeconds;
                    case TRIM_HORIZON -> 0;
                };
                // Nothing is assigned yet, however long this call takes: the first tick does it.
                context.callAsync(() -> list(from), this::noted);
            }
            // A shard that is found later comes from resharding: it is read from its beginning.
            context.callAsync(() -> list(0), this::discovered, discoveryMillis, discoveryMillis);
        }

        private List<Shard> list(double fromSeconds) throws IOException, InterruptedException {
            List<Shard> shards = new ArrayList<>();
            for (JsonNode shard : kinesis.call("ListShards", Aws.JSON.createObjectNode().put("StreamARN", arn)).get("Shards")) {
                boolean closed = shard.path("SequenceNumberRange").hasNonNull("EndingSequenceNumber");
                if (closed && fromSeconds > 0) {
                    continue;
                }
                List<String> parents = new ArrayList<>();
                for (String field : List.of("ParentShardId", "AdjacentParentShardId")) {
                    if (shard.hasNonNull(field)) {
                        parents.add(shard.get(field).asText());
                    }
                }
                JsonNode range = shard.get("HashKeyRange");
                BigInteger middle = new BigInteger(range.get("StartingHashKey").asText())
                        .add(new BigInteger(range.get("EndingHashKey").asText()))
                        .shiftRight(1);
                shards.add(new Shard(shard.get("ShardId").asText(), parents, middle, fromSeconds, "", false));
            }
            return shards;
        }

        private void discovered(List<Shard> shards, Throwable failure) {
            noted(shards, failure);
            if (context.registeredReaders().size() == context.currentParallelism()) {
                assign();
            }
        }

        private void noted(List<Shard> shards, Throwable failure) {
            if (failure != null) {
                throw new IllegalStateException("The shards cannot be listed", failure);
            }
            String last = known.last;
            for (Shard shard : shards) {
                // Shards are numbered in the order of their creation.
                if (shard.id().compareTo(last) > 0) {
                    known.shards.put(shard.id(), shard);
                    known.last = shard.id().compareTo(known.last) > 0 ? shard.id() : known.last;
                }
            }
        }

        private void assign() {
            List<Integer> tasks = new ArrayList<>(context.registeredReaders().keySet());
            for (Shard shard : List.copyOf(known.shards.values())) {
                boolean ready = shard.parents().stream().noneMatch(known.shards::containsKey);
                if (ready && known.assigned.add(shard.id())) {
                    BigInteger task = shard.middle().multiply(BigInteger.valueOf(tasks.size())).divide(HASH_KEYS);
                    context.assignSplit(shard, tasks.get(task.intValue()));
                }
            }
        }

        @Override
        public void handleSourceEvent(int task, SourceEvent event) {
            String id = ((Finished) event).id();
            known.shards.remove(id);
            known.assigned.remove(id);
            if (context.registeredReaders().size() == context.currentParallelism()) {
                assign();
            }
        }

        @Override
        public Known snapshotState(long checkpoint) {
            Known copy = new Known();
            copy.shards.putAll(known.shards);
            copy.assigned.addAll(known.assigned);
            copy.last = known.last;
            return copy;
        }

        @Override
        public void addSplitsBack(List<Shard> shards, int task) {
            throw new UnsupportedOperationException("The real source cannot recover a part of the job either");
        }

        @Override
        public void handleSplitRequest(int task, String host) {}

        @Override
        public void addReader(int task) {}

        @Override
        public void close() {}
    }

    /** A shard that is read, with the rest of the last answer. */
    private static final class Reading {
        private Shard shard;
        private String iterator = "";
        private long notBeforeMillis;
        private final Deque<JsonNode> records = new ArrayDeque<>();
        private boolean ends;

        Reading(Shard shard) {
            this.shard = shard;
        }
    }

    private final class Reader implements SourceReader<RowData, Shard> {
        private final SourceReaderContext context;
        private final Deque<Reading> turns = new ArrayDeque<>();
        private final Map<Long, List<Shard>> finishedBefore = new HashMap<>();
        private final List<Shard> finished = new ArrayList<>();

        Reader(SourceReaderContext context) {
            this.context = context;
        }

        @Override
        public InputStatus pollNext(ReaderOutput<RowData> output) throws Exception {
            Reading reading = turns.peek();
            if (reading != null && reading.records.isEmpty()) {
                reading = fetched();
            }
            if (reading == null) {
                return InputStatus.NOTHING_AVAILABLE;
            }
            JsonNode record = reading.records.poll();
            if (record != null) {
                RowData row = decoder.deserialize(Base64.getDecoder().decode(record.get("Data").asText()));
                if (row != null) {
                    output.createOutputForSplit(reading.shard.id()).collect(row);
                }
                reading.shard = reading.shard.read(record.get("SequenceNumber").asText());
            }
            if (reading.records.isEmpty()) {
                turns.remove(reading);
                if (reading.ends) {
                    output.releaseOutputForSplit(reading.shard.id());
                    finish(reading.shard.toTheEnd());
                } else {
                    turns.add(reading);
                }
            }
            return InputStatus.MORE_AVAILABLE;
        }

        /** Returns the next shard whose time has come, with what it answered; none where all wait. */
        private Reading fetched() throws Exception {
            for (int tried = turns.size(); tried > 0; tried--) {
                Reading reading = turns.peek();
                if (reading.notBeforeMillis <= System.currentTimeMillis()) {
                    fetch(reading);
                    return reading;
                }
                turns.add(turns.poll());
            }
            return null;
        }

        private void fetch(Reading reading) throws IOException, InterruptedException {
            try {
                if (reading.iterator.isEmpty()) {
                    reading.iterator = iterator(reading.shard);
                }
                JsonNode answer = kinesis.call(
                        "GetRecords",
                        Aws.JSON.createObjectNode().put("ShardIterator", reading.iterator).put("Limit", maxRecords));
                answer.get("Records").forEach(reading.records::add);
                reading.iterator = answer.path("NextShardIterator").asText("");
                reading.ends = reading.iterator.isEmpty();
            } catch (IOException failure) {
                if (failure.getMessage().contains("ResourceNotFoundException")) {
                    reading.ends = true;
                } else if (failure.getMessage().contains("ExpiredIteratorException")) {
                    reading.iterator = "";
                } else {
                    throw failure;
                }
            }
            if (reading.records.isEmpty()) {
                reading.notBeforeMillis = System.currentTimeMillis() + emptyMillis;
            }
        }

        private String iterator(Shard shard) throws IOException, InterruptedException {
            ObjectNode request = Aws.JSON.createObjectNode().put("StreamARN", arn).put("ShardId", shard.id());
            if (!shard.after().isEmpty()) {
                request.put("ShardIteratorType", "AFTER_SEQUENCE_NUMBER").put("StartingSequenceNumber", shard.after());
            } else if (shard.fromSeconds() > 0) {
                request.put("ShardIteratorType", "AT_TIMESTAMP").put("Timestamp", shard.fromSeconds());
            } else {
                request.put("ShardIteratorType", "TRIM_HORIZON");
            }
            return kinesis.call("GetShardIterator", request).get("ShardIterator").asText();
        }

        private void finish(Shard shard) {
            finished.add(shard);
            context.sendSourceEventToCoordinator(new Finished(shard.id()));
        }

        @Override
        public List<Shard> snapshotState(long checkpoint) {
            finishedBefore.put(checkpoint, List.copyOf(finished));
            List<Shard> shards = new ArrayList<>(finished);
            turns.forEach(reading -> shards.add(reading.shard));
            return shards;
        }

        @Override
        public void notifyCheckpointComplete(long checkpoint) {
            finished.removeAll(finishedBefore.getOrDefault(checkpoint, List.of()));
            finishedBefore.keySet().removeIf(number -> number <= checkpoint);
        }

        @Override
        public void addSplits(List<Shard> shards) {
            for (Shard shard : shards) {
                if (shard.finished()) {
                    finish(shard);
                } else {
                    turns.add(new Reading(shard));
                }
            }
        }

        @Override
        public CompletableFuture<Void> isAvailable() {
            return CompletableFuture.runAsync(
                    () -> {}, CompletableFuture.delayedExecutor(PAUSE_MILLIS, TimeUnit.MILLISECONDS));
        }

        @Override
        public void start() {}

        @Override
        public void notifyNoMoreSplits() {}

        @Override
        public void close() {}
    }
}

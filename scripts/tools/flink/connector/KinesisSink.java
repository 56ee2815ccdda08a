import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.api.connector.sink2.Sink.InitContext;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.connector.base.sink.AsyncSinkBase;
import org.apache.flink.connector.base.sink.writer.AsyncSinkWriter;
import org.apache.flink.connector.base.sink.writer.AsyncSinkWriterStateSerializer;
import org.apache.flink.connector.base.sink.writer.BufferedRequestState;
import org.apache.flink.connector.base.sink.writer.ElementConverter;
import org.apache.flink.connector.base.sink.writer.ResultHandler;
import org.apache.flink.connector.base.sink.writer.config.AsyncSinkWriterConfiguration;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.table.data.RowData;

/**
 * Writes rows in batches, several requests at a time, on the base class of the real sink; a text column is the partition key.
 * What a request could not write is written again, so rows of a key can change their order.
 */
final class KinesisSink extends AsyncSinkBase<RowData, KinesisSink.Entry> {
    private static final long MAX_RECORD_BYTES = 1024 * 1024;
    private static final int THREADS = 4;

    private final Aws kinesis;
    private final String arn;

    KinesisSink(Aws kinesis, String arn, SerializationSchema<RowData> encoder, int key, int batch, int inFlight, int buffered,
            long bytes, long millis) {
        super(new Converter(encoder, key), batch, inFlight, buffered, bytes, millis, MAX_RECORD_BYTES);
        this.kinesis = kinesis;
        this.arn = arn;
    }

    /** A record to write. */
    record Entry(String key, byte[] data) implements Serializable {}

    @Override
    public StatefulSinkWriter<RowData, BufferedRequestState<Entry>> createWriter(InitContext context) {
        return restoreWriter(context, List.of());
    }

    @Override
    public StatefulSinkWriter<RowData, BufferedRequestState<Entry>> restoreWriter(
            InitContext context, Collection<BufferedRequestState<Entry>> states) {
        AsyncSinkWriterConfiguration configuration = AsyncSinkWriterConfiguration.builder()
                .setMaxBatchSize(getMaxBatchSize())
                .setMaxBatchSizeInBytes(getMaxBatchSizeInBytes())
                .setMaxInFlightRequests(getMaxInFlightRequests())
                .setMaxBufferedRequests(getMaxBufferedRequests())
                .setMaxTimeInBufferMS(getMaxTimeInBufferMS())
                .setMaxRecordSizeInBytes(getMaxRecordSizeInBytes())
                .build();
        return new Writer(getElementConverter(), context, configuration, states, kinesis, arn);
    }

    @Override
    public SimpleVersionedSerializer<BufferedRequestState<Entry>> getWriterStateSerializer() {
        return new StateSerializer();
    }

    private static final class Converter implements ElementConverter<RowData, Entry> {
        private final SerializationSchema<RowData> encoder;
        private final int key;

        Converter(SerializationSchema<RowData> encoder, int key) {
            this.encoder = encoder;
            this.key = key;
        }

        @Override
        public void open(InitContext context) {
            try {
                encoder.open(context.asSerializationSchemaInitializationContext());
            } catch (Exception error) {
                throw new IllegalStateException(error);
            }
        }

        @Override
        public Entry apply(RowData row, SinkWriter.Context context) {
            return new Entry(row.getString(key).toString(), encoder.serialize(row).clone());
        }
    }

    private static final class Writer extends AsyncSinkWriter<RowData, Entry> {
        private final Aws kinesis;
        private final String arn;
        private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

        Writer(ElementConverter<RowData, Entry> converter, InitContext context, AsyncSinkWriterConfiguration configuration,
                Collection<BufferedRequestState<Entry>> states, Aws kinesis, String arn) {
            super(converter, context, configuration, states);
            this.kinesis = kinesis;
            this.arn = arn;
        }

        @Override
        protected void submitRequestEntries(List<Entry> entries, ResultHandler<Entry> handler) {
            threads.execute(() -> {
                List<Entry> refused = write(entries);
                if (refused.isEmpty()) {
                    handler.complete();
                } else {
                    handler.retryForEntries(refused);
                }
            });
        }

        /** Returns the entries that must be written again. */
        private List<Entry> write(List<Entry> entries) {
            ObjectNode request = Aws.JSON.createObjectNode().put("StreamARN", arn);
            ArrayNode records = request.putArray("Records");
            for (Entry entry : entries) {
                records.addObject()
                        .put("PartitionKey", entry.key())
                        .put("Data", Base64.getEncoder().encodeToString(entry.data()));
            }
            try {
                JsonNode results = kinesis.call("PutRecords", request).get("Records");
                List<Entry> refused = new ArrayList<>();
                for (int index = 0; index < entries.size(); index++) {
                    if (!results.get(index).path("ErrorCode").asText("").isEmpty()) {
                        refused.add(entries.get(index));
                    }
                }
                return refused;
            } catch (IOException failed) {
                return entries;
            } catch (InterruptedException closing) {
                Thread.currentThread().interrupt();
                return entries;
            }
        }

        @Override
        protected long getSizeInBytes(Entry entry) {
            return entry.data().length;
        }

        @Override
        public void close() {
            threads.shutdownNow();
            super.close();
        }
    }

    private static final class StateSerializer extends AsyncSinkWriterStateSerializer<Entry> {
        @Override
        protected void serializeRequestToStream(Entry entry, DataOutputStream out) throws IOException {
            out.writeUTF(entry.key());
            out.writeInt(entry.data().length);
            out.write(entry.data());
        }

        @Override
        protected Entry deserializeRequestFromStream(long size, DataInputStream in) throws IOException {
            String key = in.readUTF();
            return new Entry(key, in.readNBytes(in.readInt()));
        }

        @Override
        public int getVersion() {
            return 1;
        }
    }
}

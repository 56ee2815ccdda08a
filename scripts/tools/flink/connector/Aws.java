import java.io.IOException;
import java.io.Serializable;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/** Calls of an AWS JSON API at an endpoint, signed with the environment's credentials (Signature Version 4). */
final class Aws implements Serializable {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
    private static final int ATTEMPTS = 8;
    private static transient HttpClient client;

    private final String endpoint;
    private final String region;
    private final String service;
    private final String target;
    private final String contentType;

    Aws(String endpoint, String region, String service, String target, String version) {
        this.endpoint = endpoint;
        this.region = region;
        this.service = service;
        this.target = target;
        this.contentType = "application/x-amz-json-" + version;
    }

    /** Returns the answer; tries again while the service is overloaded or away. */
    JsonNode call(String action, JsonNode body) throws IOException, InterruptedException {
        IOException failure = null;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            try {
                HttpResponse<String> answer = http().send(signed(action, body.toString()), HttpResponse.BodyHandlers.ofString());
                if (answer.statusCode() == 200) {
                    return JSON.readTree(answer.body());
                }
                failure = new IOException(service + " " + action + ": " + answer.statusCode() + " " + answer.body());
                if (answer.statusCode() < 500 && !answer.body().contains("Throughput") && !answer.body().contains("Throttl")) {
                    throw failure;
                }
            } catch (java.net.ConnectException | java.net.http.HttpTimeoutException unreachable) {
                failure = new IOException(service + " " + action + ": " + endpoint + " does not answer", unreachable);
            }
            Thread.sleep(100L << attempt);
        }
        throw failure;
    }

    private static synchronized HttpClient http() {
        if (client == null) {
            client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(5)).build();
        }
        return client;
    }

    private HttpRequest signed(String action, String body) throws IOException {
        URI uri = URI.create(endpoint + "/");
        String stamp = STAMP.format(Instant.now());
        String scope = stamp.substring(0, 8) + "/" + region + "/" + service + "/aws4_request";
        String names = "content-type;host;x-amz-date;x-amz-target";
        String headers = "content-type:" + contentType + "\nhost:" + uri.getAuthority() + "\nx-amz-date:" + stamp
                + "\nx-amz-target:" + target + "." + action + "\n";
        try {
            String request = "POST\n/\n\n" + headers + "\n" + names + "\n" + hash(body);
            byte[] key = ("AWS4" + System.getenv("AWS_SECRET_ACCESS_KEY")).getBytes(StandardCharsets.UTF_8);
            for (String part : scope.split("/")) {
                key = mac(key, part);
            }
            String signature = HexFormat.of().formatHex(mac(key, "AWS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + hash(request)));
            return HttpRequest.newBuilder(uri)
                    .timeout(Duration.ofSeconds(20))
                    .header("Content-Type", contentType)
                    .header("X-Amz-Date", stamp)
                    .header("X-Amz-Target", target + "." + action)
                    .header("Authorization", "AWS4-HMAC-SHA256 Credential=" + System.getenv("AWS_ACCESS_KEY_ID") + "/" + scope
                            + ", SignedHeaders=" + names + ", Signature=" + signature)
                    .POST(HttpRequest.BodyPublishers.ofString(body))
                    .build();
        } catch (GeneralSecurityException error) {
            throw new IOException(error);
        }
    }

    private static String hash(String text) throws GeneralSecurityException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static byte[] mac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }
}

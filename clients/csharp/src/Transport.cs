using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.IO.Compression;
using System.Linq;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Threading;

namespace PlayerAnalytics
{
    /// <summary>Times as milliseconds since 1970.</summary>
    internal static class Time
    {
        private static readonly DateTime Epoch = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);

        public static long Milliseconds(DateTime utc)
        {
            return (utc - Epoch).Ticks / TimeSpan.TicksPerMillisecond;
        }

        /// <summary>Returns a time as the envelope has it: RFC 3339, UTC, milliseconds.</summary>
        public static string Text(long milliseconds)
        {
            const string Form = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
            return Epoch.AddMilliseconds(milliseconds).ToString(Form, CultureInfo.InvariantCulture);
        }

        /// <summary>Returns whether a text is a date of HTTP, and which.</summary>
        public static bool TryHttp(string text, out long milliseconds)
        {
            DateTime found;
            const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
            bool isDate = DateTime.TryParseExact(text, "r", CultureInfo.InvariantCulture, Utc, out found);
            milliseconds = isDate ? Milliseconds(found) : 0;
            return isDate;
        }
    }

    /// <summary>
    /// What to do with the events of a request, by their place in it.
    ///
    /// `Retry` are sent again with the same event_id, after `RetryAfter` seconds at least. `IsTooMuch`: the request
    /// as a whole was refused for what it holds, so that fewer events may pass.
    /// </summary>
    internal sealed class Answer
    {
        public int Accepted;
        public Dictionary<int, string> Rejected = new Dictionary<int, string>();
        public IList<int> Retry = new int[0];
        public double RetryAfter;
        public string Problem = "";
        public bool IsTooMuch;
        public bool IsClockWrong;

        public static Answer AllAgain(int count, string problem)
        {
            return new Answer { Retry = Enumerable.Range(0, count).ToList(), Problem = problem };
        }
    }

    /// <summary>Posts batches with a game's key; learns how far this machine's clock is off.</summary>
    internal sealed class Transport
    {
        // API Gateway answers no more.
        private const int MaxAnswerBytes = 10000000;
        private const double LongestRetryAfter = 86400;
        // The platform itself repairs a clock that is less than 5 minutes off; a Date header counts whole seconds.
        private const long ClockToleranceMilliseconds = 60000;
        private const string SentAt = ",\"sent_at\":";
        // Games that start at the same moment must not wait alike: .NET Framework seeds Random by the time.
        private static readonly Random Dice = new Random(Guid.NewGuid().GetHashCode());

        private readonly string _url;
        private readonly string _key;
        private readonly Settings _settings;
        private readonly string _agent;
        private long _clockError;

        /// <summary>`url` is the REST API without a path, `key` is "game_id.secret".</summary>
        public Transport(string url, string key, Settings settings, string agent)
        {
            _url = (url ?? "").TrimEnd('/') + "/v1/events";
            _key = key ?? "";
            _settings = settings;
            _agent = agent;
        }

        /// <summary>Milliseconds to add to this machine's time, 0 where it is near enough.</summary>
        public long ClockError
        {
            get { return Interlocked.Read(ref _clockError); }
        }

        /// <summary>
        /// Returns seconds until the next attempt: Retry-After, and a random time that grows (full jitter).
        /// </summary>
        public static double RetryDelay(int attempt, double retryAfter, Settings settings)
        {
            double grown = settings.FirstRetrySeconds * Math.Pow(2, Math.Min(attempt, 30));
            double most = Math.Min(settings.LongestRetrySeconds, grown);
            lock (Dice) return retryAfter + Dice.NextDouble() * most;
        }

        /// <summary>Sends stored events once. Never throws: what went wrong is part of the answer.</summary>
        public Answer Send(IList<byte[]> lines)
        {
            try
            {
                byte[] body = Zipped(lines.Select(Stamped));
                using (HttpWebResponse response = Response(Request(body), body))
                {
                    string text = Read(response);
                    LearnTime(response.Headers["Date"]);
                    return Judged((int)response.StatusCode, response.Headers["Retry-After"] ?? "", text, lines.Count);
                }
            }
            catch (Exception error)
            {
                return Answer.AllAgain(lines.Count, "the REST API cannot be reached: " + error.Message);
            }
        }

        /// <summary>Returns what an answer of the REST API says of `count` events.</summary>
        public static Answer Judged(int status, string retryAfter, string text, int count)
        {
            Dictionary<string, object> body = null;
            try
            {
                body = Json.Parse(text) as Dictionary<string, object>;
            }
            catch (JsonException)
            {
                // Something between the game and the platform answered.
            }
            if (status == 202 || status == 207 || status == 422 || status == 503)
            {
                Answer verdict = Verdict(body, count);
                if (verdict != null)
                {
                    if (verdict.Retry.Count > 0) verdict.RetryAfter = Seconds(retryAfter);
                    return verdict;
                }
            }
            var error = Get(body, "error") as Dictionary<string, object>;
            string code = Text(Get(error, "code")), message = Text(Get(error, "message"));
            string number = status.ToString(CultureInfo.InvariantCulture);
            string problem = ("the REST API answered " + number + " " + code + " " + message).Trim();
            if (status == 400 || status == 413)
            {
                Answer tooMuch = Answer.AllAgain(count, problem);
                tooMuch.IsTooMuch = true;
                if (count > 1) return tooMuch;
                return new Answer { Rejected = { { 0, (code != "" ? code : number) + ": " + message } } };
            }
            Answer again = Answer.AllAgain(count, problem);
            again.RetryAfter = Seconds(retryAfter);
            again.IsClockWrong = code == "stale_signature";
            return again;
        }

        private HttpWebRequest Request(byte[] body)
        {
            var request = (HttpWebRequest)WebRequest.Create(_url);
            int timeout = (int)Math.Max(1, Math.Min(_settings.TimeoutSeconds * 1000, int.MaxValue));
            request.Method = "POST";
            request.Timeout = timeout;
            request.ReadWriteTimeout = timeout;
            // A redirect would turn POST into GET: it is a failure.
            request.AllowAutoRedirect = false;
            request.ServicePoint.Expect100Continue = false;
            request.ContentType = "application/x-ndjson";
            request.ContentLength = body.Length;
            request.UserAgent = _agent;
            request.Headers["Content-Encoding"] = "gzip";
            int dot = _key.IndexOf('.');
            string secret = _key.Substring(dot + 1);
            bool isNamed = _settings.Signature == Signature.InsteadOfKey;
            request.Headers["X-Api-Key"] = isNamed ? _key.Substring(0, dot + 1) + Signed(secret, Bytes("name")) : _key;
            if (_settings.Signature != Signature.None)
            {
                string seconds = ((_settings.Now() + ClockError) / 1000).ToString(CultureInfo.InvariantCulture);
                byte[] signed = Bytes(seconds + ".").Concat(body).ToArray();
                request.Headers["X-Signature"] = "t=" + seconds + ",sha256=" + Signed(secret, signed);
            }
            return request;
        }

        private static HttpWebResponse Response(HttpWebRequest request, byte[] body)
        {
            try
            {
                using (Stream to = request.GetRequestStream()) to.Write(body, 0, body.Length);
                return (HttpWebResponse)request.GetResponse();
            }
            catch (WebException error)
            {
                var response = error.Response as HttpWebResponse;
                if (response == null) throw;
                return response;
            }
        }

        private static string Read(HttpWebResponse response)
        {
            using (Stream from = response.GetResponseStream())
            using (var to = new MemoryStream())
            {
                var part = new byte[8192];
                int size;
                while (to.Length < MaxAnswerBytes && (size = from.Read(part, 0, part.Length)) > 0)
                {
                    to.Write(part, 0, size);
                }
                return Encoding.UTF8.GetString(to.ToArray());
            }
        }

        /// <summary>
        /// Returns an event with the time of this attempt, by the clock that its event_time was taken from.
        /// </summary>
        private byte[] Stamped(byte[] line)
        {
            string text = Encoding.UTF8.GetString(line).TrimEnd('}', '\n');
            int at = text.LastIndexOf(SentAt, StringComparison.Ordinal) + SentAt.Length;
            long correction = long.Parse(text.Substring(at), CultureInfo.InvariantCulture);
            return Bytes(text.Substring(0, at) + "\"" + Time.Text(_settings.Now() + correction) + "\"}\n");
        }

        private void LearnTime(string date)
        {
            long there;
            if (!Time.TryHttp(date, out there)) return;
            long error = there - _settings.Now();
            Interlocked.Exchange(ref _clockError, Math.Abs(error) > ClockToleranceMilliseconds ? error : 0);
        }

        private static byte[] Zipped(IEnumerable<byte[]> lines)
        {
            using (var to = new MemoryStream())
            {
                using (var zip = new GZipStream(to, CompressionMode.Compress, true))
                {
                    foreach (byte[] line in lines) zip.Write(line, 0, line.Length);
                }
                return to.ToArray();
            }
        }

        /// <summary>
        /// Returns the signature of a text by the hash of a secret, which is what the platform knows.
        /// </summary>
        private static string Signed(string secret, byte[] text)
        {
            using (var sha = SHA256.Create())
            using (var hmac = new HMACSHA256(Bytes(Hex(sha.ComputeHash(Bytes(secret))))))
            {
                return Hex(hmac.ComputeHash(text));
            }
        }

        private static string Hex(byte[] bytes)
        {
            return string.Concat(bytes.Select(each => each.ToString("x2", CultureInfo.InvariantCulture)));
        }

        private static byte[] Bytes(string text)
        {
            return Encoding.UTF8.GetBytes(text);
        }

        /// <summary>Returns the verdict on each event, null where the answer is not one on these events.</summary>
        private static Answer Verdict(Dictionary<string, object> body, int count)
        {
            var results = Get(body, "results") as List<object>;
            if (results == null || !(Get(body, "accepted") is long)) return null;
            var verdict = new Answer();
            var retry = new SortedSet<int>();
            foreach (object item in results)
            {
                var result = item as Dictionary<string, object>;
                object index = Get(result, "index");
                if (!(index is long) || (long)index < 0 || (long)index >= count) return null;
                if ("rejected".Equals(Get(result, "status"))) verdict.Rejected[(int)(long)index] = Refusal(result);
                else retry.Add((int)(long)index);
            }
            if ((long)body["accepted"] + verdict.Rejected.Count + retry.Count != count) return null;
            verdict.Accepted = (int)(long)body["accepted"];
            verdict.Retry = retry.ToList();
            verdict.Problem = retry.Count > 0 ? "the platform could not store all events" : "";
            return verdict;
        }

        /// <summary>Returns reason, pointers and messages of a result.</summary>
        private static string Refusal(Dictionary<string, object> result)
        {
            var listed = Get(result, "errors") as List<object>;
            var errors = listed == null ? null : listed.OfType<Dictionary<string, object>>().ToList();
            if (errors == null || errors.Count == 0) errors = new List<Dictionary<string, object>> { result };
            var said = errors.Select(each => new FieldError(Text(Get(each, "pointer")), Text(Get(each, "message"))));
            return new Problem(Text(Get(result, "reason")), said.ToList()).ToString();
        }

        private static object Get(Dictionary<string, object> members, string name)
        {
            object found;
            return members != null && members.TryGetValue(name, out found) ? found : null;
        }

        private static string Text(object value)
        {
            return Convert.ToString(value, CultureInfo.InvariantCulture);
        }

        /// <summary>Returns the seconds of a Retry-After header, which may be a date.</summary>
        private static double Seconds(string retryAfter)
        {
            double seconds;
            long date;
            if (!double.TryParse(retryAfter, NumberStyles.Float, CultureInfo.InvariantCulture, out seconds))
            {
                seconds = Time.TryHttp(retryAfter, out date) ? (date - Time.Milliseconds(DateTime.UtcNow)) / 1000.0 : 0;
            }
            // Not a number compares false.
            return seconds > 0 ? Math.Min(seconds, LongestRetryAfter) : 0;
        }
    }
}

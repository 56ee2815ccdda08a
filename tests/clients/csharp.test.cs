// The C# client by itself: it never throws, honours a player's choices, and mends its queue.
// The argument is an empty folder. Prints a line for each test that fails, and at last how many passed.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using PlayerAnalytics;

internal static class Tests
{
    // How long a test waits for what must come. A busy machine is slow.
    private const double Still = 180;
    private static string _root;
    private static int _passed, _failed;

    private static int Main(string[] arguments)
    {
        _root = arguments[0];
        Cultures.UseStrangest();
        WhatCannotBeSent();
        Choices();
        Lifetime();
        TheQueue();
        Answers();
        Values();
        Console.WriteLine(string.Format(CultureInfo.InvariantCulture, "passed {0}, failed {1}", _passed, _failed));
        return _failed;
    }

    private static void WhatCannotBeSent()
    {
        var cycle = new Dictionary<string, object>();
        cycle["itself"] = cycle;
        var deep = new Dictionary<string, object>();
        for (int n = 0; n < 100000; n++) deep = new Dictionary<string, object> { { "a", deep } };
        NotSent("NaN", "malformed_json", session => session.Track(new Design("a") { Value = double.NaN }));
        NotSent("infinity", "malformed_json", session =>
            session.Track("design", Fields("value", float.PositiveInfinity)));
        NotSent("a date", "malformed_json", session => session.Track("design", Fields("name", DateTime.UtcNow)));
        NotSent("half of a character", "malformed_json", session => session.Track(new Design("half \ud800")));
        NotSent("a cycle", "malformed_json", session => session.Track("design", cycle));
        NotSent("depth", "malformed_json", session => session.Track("design", deep));
        NotSent("a number in place of a name", "malformed_json", session => session.Track(new Purchase(
            "t-1", (Currency)9999, 499, 1, PurchaseStore.Apple, "gems")));
        NotSent("size", "too_large", session => session.Track(new Design(new string('x', 70000))));
        NotSent("an unknown type", "unknown_schema", session => session.Track("telepathy", null));
        NotSent("no type", "unknown_schema", session => session.Track(null, null));
        NotSent("no payload", "unknown_schema", session => session.Track(null));
    }

    private static void NotSent(string name, string reason, Action<Session> track)
    {
        Test("what cannot be sent is reported and never thrown: " + name, game =>
        {
            Session session = game.Client.StartSession("p-1");
            track(session);
            session.Track(new Design("after"));
            Check(game.Client.Pause(Still), "nothing is stored");
            Equal("0,1", Sequences(game.Stored()));
            Equal("1 of 3", Invariant("{0} of {1}", game.Client.Stats.Invalid, game.Client.Stats.Tracked));
            Check(game.Said("was not sent: " + reason), game.AllProblems());
        });
    }

    private static void Choices()
    {
        Test("without consent an event names nobody and leaves no gap", game =>
        {
            Session session = game.Client.StartSession("p-1");
            session.Track(new Design("before") { Extra = Fields("diary", "a") });
            session.SetPrivacy(new Privacy { AnalyticsStorage = AnalyticsStorage.Denied });
            session.Track(new Design("without") { Extra = Fields("diary", "b") });
            session.SetPrivacy(new Privacy { AnalyticsStorage = AnalyticsStorage.Granted });
            session.Track("design", Fields("name", "after"));
            Check(game.Client.Pause(Still), "nothing is stored");
            var events = game.Stored();
            Equal("0,1,0,2", Sequences(events));
            string without = Json.Text(events[2]);
            Check(!without.Contains("p-1") && !without.Contains(session.SessionId), without);
            Equal("{\"analytics_storage\":\"denied\"}", Json.Text(events[2]["privacy"]));
            Equal("{\"name\":\"without\"}", Json.Text(events[2]["payload"]));
            Equal("sdk,platform,app_version,country", Names(events[2]["client"]));
            Equal("{\"analytics_storage\":\"granted\"}", Json.Text(events[3]["privacy"]));
            Equal(session.SessionId, events[3]["session_id"]);
        });
        Test("a dimension goes with each event from now on", game =>
        {
            Session session = game.Client.StartSession("p-1");
            session.SetDimension("class", "mage");
            session.SetDimension("shard", "Żuk");
            session.SetDimension("class", "rogue");
            session.Track(new Design("both"));
            session.SetDimension("Class", "a");
            session.SetDimension("class", "");
            session.SetDimension("class", new string('x', 129));
            session.SetDimension("a\n", "b");
            session.SetDimension(null, "c");
            Check(game.Said("the dimension was not set"), game.AllProblems());
            session.Track(new Design("same"));
            session.SetDimension("shard", null);
            session.SetPrivacy(new Privacy { AgeGroup = AgeGroup.Child });
            session.Track(new Design("child"));
            session.SetPrivacy(null);
            session.Track(new Design("one"));
            Check(game.Client.Pause(Still), "nothing is stored");
            var events = game.Stored();
            Equal("{\"class\":\"rogue\",\"shard\":\"Żuk\"}", Json.Text(events[1]["dimensions"]).Replace("\"shard\":\"Żuk\",\"class\":\"rogue\"", "\"class\":\"rogue\",\"shard\":\"Żuk\""));
            Equal(Json.Text(events[1]["dimensions"]), Json.Text(events[2]["dimensions"]));
            Check(!events[3].ContainsKey("dimensions"), "a child has a dimension");
            Equal("{\"class\":\"rogue\"}", Json.Text(events[4]["dimensions"]));
        });
        Test("of a child device and free fields stay here", game =>
        {
            var start = new SessionStart { LaunchReason = SessionStartLaunchReason.Push };
            var child = new Privacy { AgeGroup = AgeGroup.Child };
            Session session = game.Client.StartSession("p-1", start, privacy: child);
            session.Track(new Design("a") { Extra = Fields("diary", "b") });
            var untyped = new Dictionary<string, object> { { "name", "a" }, { "extra", Fields("diary", "b") } };
            session.Track("design", untyped);
            Check(game.Client.Pause(Still), "nothing is stored");
            foreach (var stored in game.Stored())
            {
                Equal("p-1", stored["player_id"]);
                Check(!Json.Text(stored["payload"]).Contains("diary"), "a diary leaves the device");
                Equal("sdk,platform,app_version,country", Names(stored["client"]));
            }
        });
        Test("a player of a server has a device of their own", game =>
        {
            var own = new Device(Platform.Playstation, "2.0") { Sdk = "own/1" };
            game.Client.StartSession("p-1", device: own).Track(new Design("a"));
            Check(game.Client.Pause(Still), "nothing is stored");
            const string Expected = "{\"platform\":\"playstation\",\"app_version\":\"2.0\",\"sdk\":\"own/1\"}";
            Equal(Expected, Json.Text(game.Stored()[1]["client"]));
        });
    }

    private static void Lifetime()
    {
        Test("a mistake in the game's own callbacks stops nothing", game =>
        {
            Session session = game.Client.StartSession("p-1");
            session.Track("telepathy", null);
            session.Track(new Design("after"));
            Check(game.Client.Pause(Still), "nothing is stored");
            Equal("0,1", Sequences(game.Stored()));
        }, settings =>
        {
            settings.OnProblem = problem => { throw new InvalidOperationException(problem); };
            settings.Clock = () => { throw new InvalidOperationException("no clock"); };
        });
        Test("wrong arguments are reported and never thrown", game =>
        {
            var problems = new List<string>();
            var settings = new Settings { OnProblem = problem => { lock (problems) problems.Add(problem); } };
            var client = new Client(null, null, null, settings);
            client.StartSession(null).Track(new Design(null));
            Check(!client.Flush(0.2), "events without a URL were sent");
            client.Close(0.1);
            client.Dispose();
            lock (problems) Check(problems.Any(problem => problem.Contains("cannot be used")), problems[0]);
        });
        long now = Time.Milliseconds(new DateTime(2027, 1, 15, 8, 0, 0, DateTimeKind.Utc));
        Test("heartbeats come each minute until pause and end", game =>
        {
            Session session = game.Client.StartSession("p-1");
            Func<string> beats = () => string.Join(",", game.Stored()
                .Where(stored => (string)stored["event_type"] == "session_heartbeat")
                .Select(stored => Json.Text(((Dictionary<string, object>)stored["payload"])["elapsed_seconds"])));
            Interlocked.Add(ref now, 61000);
            WaitFor(() => { game.Client.Flush(0); return beats() == "61"; });
            Check(game.Client.Pause(Still), "nothing is stored");
            Interlocked.Add(ref now, 600000);
            game.Client.Flush(0.1);
            Equal("61", beats());
            game.Client.Resume();
            WaitFor(() => { game.Client.Flush(0); return beats() == "61,661"; });
            session.End();
            session.End();
            Interlocked.Add(ref now, 61000);
            Check(game.Client.Pause(Still), "nothing is stored");
            Equal("{\"duration_seconds\":661,\"end_reason\":\"exit\"}", Json.Text(game.Stored().Last()["payload"]));
            Equal("2027-01-15T08:11:01.000Z", game.Stored().Last()["event_time"]);
        }, settings =>
        {
            settings.HeartbeatSeconds = 60;
            var epoch = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);
            settings.Clock = () => epoch.AddMilliseconds(Interlocked.Read(ref now));
        });
        Test("a session that the game has forgotten is not kept", game =>
        {
            // Collectors look for references on the stack of a thread that still runs.
            var starter = new Thread(() =>
            {
                for (int n = 0; n < 1000; n++) game.Client.StartSession(Invariant("p-{0}", n));
            });
            starter.Start();
            starter.Join();
            Check(game.Client.Pause(Still), "nothing is stored");
            WaitFor(() => { GC.Collect(); game.Client.Flush(0); return game.Client.OpenSessions < 100; });
        }, settings => settings.HeartbeatSeconds = 60);
        var stuck = new ManualResetEventSlim();
        Test("what comes faster than it can be stored is dropped, and the game does not wait", game =>
        {
            Session session = game.Client.StartSession("p-1");
            // The storing thread reports it, and gets no further.
            session.Track("telepathy", null);
            Check(!game.Client.Pause(0.2), "the storing thread is not stuck");
            for (int n = 0; n < 200; n++) session.Track(new Design("a"));
            int dropped = game.Client.Stats.Dropped;
            Check(dropped > 170 && dropped < 200, Invariant("{0} were dropped", dropped));
            stuck.Set();
        }, settings =>
        {
            settings.MemoryBytes = 10000;
            settings.OnProblem = problem =>
            {
                if (problem.Contains("telepathy")) stuck.Wait(TimeSpan.FromSeconds(Still));
            };
        });
        Test("threads may share a session", game =>
        {
            Session session = game.Client.StartSession("p-1");
            var threads = Enumerable.Range(0, 8).Select(each => new Thread(() =>
            {
                for (int n = 0; n < 500; n++)
                {
                    session.Track(new Design("a") { Value = n });
                    if (n % 100 == 0) session.SetPrivacy(null);
                    if (n % 250 == 0) game.Client.Pause(0);
                }
            })).ToList();
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());
            Check(game.Client.Pause(Still), "nothing is stored");
            var events = game.Stored();
            Equal(string.Join(",", Enumerable.Range(0, 4001)), Sequences(events));
            Equal(4001, events.Select(stored => stored["event_id"]).Distinct().Count());
            Equal(4001, game.Client.Stats.Queued);
        });
        Test("no event is taken after the end", game =>
        {
            Session session = game.Client.StartSession("p-1");
            game.Client.Close(0.1);
            session.Track(new Design("late"));
            Equal("1 of 2", Invariant("{0} of {1}", game.Client.Stats.Dropped, game.Client.Stats.Tracked));
            game.Client.Dispose();
            Check(!game.Client.Pause(0) || game.Client.Stats.Queued > 0, "an event has vanished");
        });
        Client closed = null;
        Test("a callback may close the client", game =>
        {
            closed = game.Client;
            game.Client.StartSession("p-1").Track("telepathy", null);
            WaitFor(() => game.Stored().Count == 1);
        }, settings => settings.OnProblem = problem => { if (closed != null) closed.Close(0.1); });
    }

    private static void TheQueue()
    {
        Test("a torn queue keeps its good lines", game =>
        {
            Session session = game.Client.StartSession("p-1");
            for (int n = 0; n < 3; n++) session.Track(new Design("a"));
            game.Client.Close(0.1);
            string path = Directory.GetFiles(game.Folder, "*.ndjson", SearchOption.AllDirectories).Single();
            string[] lines = File.ReadAllText(path).Split('\n');
            string cut = lines[1].Substring(0, 50);
            string[] torn = { lines[0], "\0\0\0", "{\"sent_at\": \"x\"}", lines[2], lines[3], cut };
            File.WriteAllText(path, string.Join("\n", torn));
            Client again = game.Another();
            Check(again.Pause(Still), "nothing is stored");
            Equal("0,2,3", Sequences(game.Stored()));
            Equal("3 and 3", Invariant("{0} and {1}", again.Stats.Queued, again.Stats.Dropped));
        });
        Test("two clients share a directory, and the next takes over", game =>
        {
            Client two = game.Another();
            game.Client.StartSession("p-1");
            Check(game.Client.Pause(Still), "nothing is stored");
            two.StartSession("p-2");
            Check(two.Pause(Still), "nothing is stored");
            Equal("0,1", game.Folders());
            game.Client.Close(0.1);
            two.Close(0.1);
            Client third = game.Another();
            Check(third.Pause(Still), "nothing is stored");
            Equal("0", game.Folders());
            Equal(2, third.Stats.Queued);
            Equal("p-1,p-2", string.Join(",", game.Stored().Select(stored => stored["player_id"])));
        });
        Test("events wait in memory where the disk fails", game =>
        {
            string file = Path.Combine(game.Folder, "file");
            File.WriteAllText(file, "not a directory");
            Client client = game.Another(file);
            client.StartSession("p-1");
            Check(client.Pause(Still), "nothing is stored");
            Equal(1, client.Stats.Queued);
            Check(game.Said("the queue on disk fails"), game.AllProblems());
        });
        Test("a disk that fails later loses nothing", game =>
        {
            var store = new FailingStore();
            var queue = new PlayerAnalytics.Queue(store, new Settings { BatchEvents = 2 });
            queue.Open();
            var lines = Enumerable.Range(0, 5).Select(n => Encoding.UTF8.GetBytes(Invariant("{0}\n", n))).ToList();
            queue.Append(lines.Take(3).ToList());
            store.IsBroken = true;
            queue.Append(lines.Skip(3).ToList());
            Check(queue.IsVolatile, "the queue writes on");
            Equal("the queue on disk fails, events wait in memory: no space is left", queue.NextProblem());
            var found = new StringBuilder();
            int number;
            for (IList<byte[]> head; (head = queue.Head(out number)) != null; queue.Settle(number, new byte[0][]))
            {
                found.Append(Encoding.UTF8.GetString(head.SelectMany(line => line).ToArray()));
            }
            Equal("0\n1\n2\n3\n4\n", found);
            Equal(0, queue.Dropped + queue.Events);
        });
    }

    private sealed class FailingStore : IStore
    {
        private readonly MemoryStore _inner = new MemoryStore();
        public bool IsBroken;

        public bool IsVolatile
        {
            get { return false; }
        }

        public IList<int> Open()
        {
            return _inner.Open();
        }

        public byte[] Read(int number)
        {
            return _inner.Read(number);
        }

        public void Append(int number, byte[] lines)
        {
            if (!IsBroken)
            {
                _inner.Append(number, lines);
                return;
            }
            // A part of the lines may be written before the disk is full.
            _inner.Append(number, lines.Take(lines.Length - 1).ToArray());
            throw new IOException("no space is left");
        }

        public void Replace(int number, byte[] lines)
        {
            throw new IOException("no space is left");
        }

        public void Remove(int number)
        {
            _inner.Remove(number);
        }

        public void Close() { }
    }

    private static void Answers()
    {
        Test("retries wait longer each time and never less than asked", game =>
        {
            var settings = new Settings { FirstRetrySeconds = 1, LongestRetrySeconds = 30 };
            double[] longest = { 1, 2, 4, 8, 16, 30, 30 };
            for (int attempt = 0; attempt < longest.Length; attempt++)
            {
                var delays = Enumerable.Range(0, 500).Select(n => Transport.RetryDelay(attempt, 0, settings)).ToList();
                // Full jitter: the whole range is used, so that clients do not come back together.
                double most = longest[attempt];
                Check(delays.Max() <= most && delays.Max() > most * 0.9, Json.Number(delays.Max()));
                Check(delays.Min() < most * 0.1, Json.Number(delays.Min()));
            }
            Check(Transport.RetryDelay(0, 7, settings) >= 7, "Retry-After is not honoured");
            Check(Transport.RetryDelay(10000, 0, settings) <= 30, "the longest wait is longer");
        });
        foreach (string pair in new[]
        {
            "200 {\"accepted\": 2, \"rejected\": 0, \"results\": []}",
            "202 <html>",
            "202 []",
            "202 {\"accepted\": 1, \"rejected\": 0, \"results\": []}",
            "207 {\"accepted\": 1, \"rejected\": 1, \"results\": [{\"index\": 2, \"status\": \"rejected\"}]}",
            "207 {\"accepted\": 1, \"rejected\": 1, \"results\": [{\"status\": \"rejected\"}]}",
            "207 {\"accepted\": 1, \"rejected\": 1, \"results\": [{\"index\": 1.5, \"status\": \"rejected\"}]}",
            "207 {\"accepted\": 1, \"results\": 3}",
            "207 {\"accepted\": null, \"results\": []}",
            "302 ",
            "403 {\"error\": \"text\"}",
            "500 {\"error\": {\"code\": 3}}",
            "503 ",
        })
        {
            Test("an answer that says nothing of the events keeps them: " + pair, game =>
            {
                string status = pair.Substring(0, 3);
                Answer answer = Transport.Judged(int.Parse(status), "", pair.Substring(4), 2);
                Equal("0,1", string.Join(",", answer.Retry));
                Equal(0, answer.Accepted + answer.Rejected.Count);
                string begin = "the REST API answered " + status;
                Check(answer.Problem.StartsWith(begin, StringComparison.Ordinal), answer.Problem);
            });
        }
        Test("each event gets its own verdict", game =>
        {
            const string Body = "{\"accepted\": 1, \"rejected\": 1, \"results\": [{\"index\": 0, \"status\": \"retry\"}, "
                + "{\"index\": 2, \"status\": \"rejected\", \"reason\": \"too_old\", "
                + "\"pointer\": \"/event_time\", \"message\": \"old\"}]}";
            Answer answer = Transport.Judged(207, "", Body, 3);
            Equal("1 0", Invariant("{0} {1}", answer.Accepted, answer.Retry.Single()));
            Equal("too_old at /event_time: old", answer.Rejected[2]);
        });
        Test("Retry-After may be a date and is bounded", game =>
        {
            string date = DateTime.UtcNow.AddSeconds(50).ToString("r", CultureInfo.InvariantCulture);
            double soon = Transport.Judged(429, date, "", 1).RetryAfter;
            Check(soon > 40 && soon <= 50, Json.Number(soon));
            foreach (string pair in new[] { "3 3", " 0", "-3 0", "nan 0", "NaN 0", "x 0", "0.5 0.5", "1e9 86400" })
            {
                string[] parts = pair.Split(' ');
                Equal(parts[1], Json.Number(Transport.Judged(429, parts[0], "", 1).RetryAfter));
            }
        });
    }

    private static void Values()
    {
        Test("values are written the same way in every culture", game =>
        {
            Check((-1.5).ToString().Contains("\u2212"), "the culture is not strange");
            foreach (var pair in new Dictionary<object, string>
            {
                { long.MinValue, "-9223372036854775808" },
                { ulong.MaxValue, "18446744073709551615" },
                { 9007199254740993, "9007199254740993" },
                { -1.5, "-1.5" },
                { 0.1 + 0.2, "0.30000000000000004" },
                { 0.1, "0.1" },
                { 0.1f, "0.1" },
                { -2.5f, "-2.5" },
                { 1234.5m, "1234.5" },
                { (byte)7, "7" },
                { "\ud83d\ude00", "\"\ud83d\ude00\"" },
                { "\"\\\n\u0001\u2028", "\"\\\"\\\\\\n\\u0001\u2028\"" },
            })
            {
                Equal(pair.Value, Json.Text(pair.Key));
            }
            foreach (double number in new[] { 1e21, 1e-7, 123456789.123456789, 0.7495438432767491, 0.3 })
            {
                Check(((JsonNumber)Json.Parse(Json.Text(number))).Value == number, Json.Text(number));
            }
        });
        Test("typed events have the fields that were set", game =>
        {
            Session session = game.Client.StartSession("p-1");
            session.Track(new Purchase("t-1", Currency.JPY, 499, 1, store: PurchaseStore.Apple, productId: "gems")
            {
                PurchaseKind = PurchaseKind.OneOff,
                Sandbox = false,
                Extra = new Dictionary<string, object> { { "deck", "fire" }, { "score", -1.5 }, { "none", null } },
            });
            Check(game.Client.Pause(Still), "nothing is stored");
            const string Expected = "{\"transaction_id\":\"t-1\",\"currency\":\"JPY\",\"amount_minor\":499,\"quantity\":1,"
                + "\"store\":\"apple\",\"product_id\":\"gems\",\"purchase_kind\":\"one_off\",\"sandbox\":false,"
                + "\"extra\":{\"deck\":\"fire\",\"score\":-1.5,\"none\":null}}";
            Equal(Expected, Json.Text(game.Stored()[1]["payload"]));
            Equal("", game.AllProblems());
        });
        Test("a time is one of the Gregorian calendar", game =>
        {
            var noon = new DateTime(2026, 1, 31, 12, 0, 0, 7, DateTimeKind.Utc);
            Equal("2026-01-31T12:00:00.007Z", Time.Text(Time.Milliseconds(noon)));
        });
        foreach (string text in new[]
        {
            "", "{", "[1,]", "{\"a\" 1}", "nul", "\"\\x\"", "\"\\u12g4\"", "1 2", "\"a\nb\"", new string('[', 100),
        })
        {
            Test("a text that is not JSON is refused: " + text, game =>
            {
                try
                {
                    Json.Parse(text);
                }
                catch (JsonException)
                {
                    return;
                }
                throw new InvalidOperationException("it was read");
            });
        }
    }

    /// <summary>A client that reaches nobody and keeps its events in a folder.</summary>
    private sealed class Game
    {
        private readonly List<Client> _clients = new List<Client>();
        private readonly List<string> _problems = new List<string>();
        private readonly Settings _settings;

        public Game(Action<Settings> change)
        {
            Folder = Directory.CreateDirectory(Path.Combine(_root, Guid.NewGuid().ToString("N"))).FullName;
            _settings = new Settings
            {
                Directory = Folder,
                FirstRetrySeconds = 60,
                HeartbeatSeconds = 0,
                OnProblem = problem => { lock (_problems) _problems.Add(problem); },
            };
            if (change != null) change(_settings);
            Client = Another();
        }

        public Client Client { get; private set; }

        public string Folder { get; private set; }

        public Client Another(string directory = null)
        {
            _settings.Directory = directory ?? Folder;
            var device = new Device(Platform.Ios, "1.4.2") { DeviceModel = "iPhone17", Locale = "de", Country = "DE" };
            _clients.Add(new Client("http://127.0.0.1:9", "skyforge.secret", device, _settings));
            return _clients.Last();
        }

        public void Close()
        {
            _clients.ForEach(client => client.Close(0.1));
        }

        public string AllProblems()
        {
            Func<string, bool> isOwn = problem => !problem.Contains("cannot be reached");
            lock (_problems) return string.Join("; ", _problems.Where(isOwn));
        }

        public bool Said(string text)
        {
            return AllProblems().Contains(text);
        }

        /// <summary>Returns the events on disk.</summary>
        public IList<Dictionary<string, object>> Stored()
        {
            return Files().SelectMany(Lines).Select(line => (Dictionary<string, object>)Json.Parse(line)).ToList();
        }

        public string Folders()
        {
            return string.Join(",", Files().Select(path => Path.GetFileName(Path.GetDirectoryName(path))).Distinct());
        }

        private IEnumerable<string> Files()
        {
            string[] found = Directory.GetFiles(Folder, "*.ndjson", SearchOption.AllDirectories);
            return found.OrderBy(path => path, StringComparer.Ordinal);
        }

        private static IEnumerable<string> Lines(string path)
        {
            using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
            using (var reader = new StreamReader(file, Encoding.UTF8))
            {
                return reader.ReadToEnd().Split(new[] { '\n' }, StringSplitOptions.RemoveEmptyEntries);
            }
        }
    }

    private static void Test(string name, Action<Game> work, Action<Settings> change = null)
    {
        var game = new Game(change);
        try
        {
            work(game);
            _passed++;
        }
        catch (Exception error)
        {
            _failed++;
            Console.WriteLine("failed: " + name + "\n" + error);
        }
        finally
        {
            game.Close();
        }
    }

    private static void Check(bool isRight, string otherwise)
    {
        if (!isRight) throw new InvalidOperationException(otherwise);
    }

    private static void Equal(object expected, object found)
    {
        Check(expected.ToString() == found.ToString(), "expected " + expected + ", found " + found);
    }

    private static void WaitFor(Func<bool> isDone)
    {
        var time = Stopwatch.StartNew();
        while (!isDone())
        {
            Check(time.Elapsed.TotalSeconds < Still, "it did not happen");
            Thread.Sleep(50);
        }
    }

    private static string Sequences(IEnumerable<Dictionary<string, object>> events)
    {
        return string.Join(",", events.Select(stored => Json.Text(stored["sequence"])));
    }

    private static string Names(object members)
    {
        return string.Join(",", ((Dictionary<string, object>)members).Keys);
    }

    private static Dictionary<string, object> Fields(string name, object value)
    {
        return new Dictionary<string, object> { { name, value } };
    }

    private static string Invariant(string format, params object[] values)
    {
        return string.Format(CultureInfo.InvariantCulture, format, values);
    }
}

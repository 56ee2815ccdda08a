using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Threading;

namespace PlayerAnalytics
{
    /// <summary>
    /// Sends the events of a game: notes them on the caller's thread, keeps and sends them on threads of its own.
    ///
    /// Nothing that it does throws, or waits for network or disk. Only `Pause`, `Flush` and `Close` wait, for as long
    /// as their timeouts say. Every member may be called from every thread.
    /// </summary>
    public sealed class Client : IDisposable
    {
        internal const string Sdk = "player-analytics-csharp/1.0.0";
        // How long events gather in memory before they are written together.
        private const int GatherMilliseconds = 10;
        private const int OverheadBytes = 400;
        // How long `Close` waits for the platform where the disk keeps what is left.
        private const double SecondsToClose = 2;

        private readonly string _gameId;
        private readonly Device _device;
        private readonly Transport _transport;
        private readonly Queue _queue;
        private readonly Stopwatch _time = Stopwatch.StartNew();
        private readonly Thread _storing;
        private readonly Thread _sending;
        private readonly ManualResetEventSlim _noted = new ManualResetEventSlim();
        private readonly ManualResetEventSlim _due = new ManualResetEventSlim();
        private readonly ManualResetEventSlim _stopped = new ManualResetEventSlim();

        // The lock of what follows, and a signal that it has changed.
        private readonly object _changed = new object();
        private readonly List<WeakReference> _sessions = new List<WeakReference>();
        private readonly Stats _stats = new Stats();
        private Queue<Noted> _pending = new Queue<Noted>();
        private long _pendingBytes;
        // How many calls of `Track` are in the queue, or will never be.
        private int _stored;
        // Events of earlier processes. All that came before `_wanted` are sent without waiting for a batch.
        private int _recovered;
        private int _wanted;
        private double? _oldest;
        private bool _isOpen;
        private bool _isPaused;
        private bool _isClosing;

        /// <summary>
        /// `url`: the REST API without a path; `key`: the game's; `device`: platform, version and the like.
        /// </summary>
        public Client(string url, string key, Device device, Settings settings = null)
        {
            Settings = (settings ?? new Settings()).Copy();
            _device = device;
            _gameId = (key ?? "").Split('.')[0];
            _transport = new Transport(url, key, Settings, Sdk);
            string directory = Settings.Directory;
            _queue = new Queue(directory == null ? (IStore)new MemoryStore() : new DirectoryStore(directory), Settings);
            _storing = Begin("store", Store);
            _sending = Begin("send", Send);
            AppDomain.CurrentDomain.ProcessExit += AtExit;
        }

        internal Settings Settings { get; private set; }

        /// <summary>How many sessions get heartbeats.</summary>
        internal int OpenSessions
        {
            get { lock (_changed) return _sessions.Count; }
        }

        /// <summary>What became of the events until now.</summary>
        public Stats Stats
        {
            get
            {
                lock (_changed)
                {
                    Stats counted = _stats.Copy();
                    counted.Dropped += _queue.Dropped;
                    counted.Queued = Waiting();
                    return counted;
                }
            }
        }

        /// <summary>
        /// Begins a session of a player and tracks session_start; heartbeats follow each minute until it ends.
        ///
        /// `device` stands in place of the client's own, for a server whose players have devices of their own.
        /// </summary>
        public Session StartSession(
            string playerId, SessionStart payload = null, Device device = null, Privacy privacy = null)
        {
            var session = new Session(this, playerId, device ?? _device, privacy);
            session.Track(payload ?? new SessionStart());
            if (Settings.HeartbeatSeconds > 0)
            {
                lock (_changed) _sessions.Add(new WeakReference(session));
            }
            return session;
        }

        /// <summary>
        /// Stops heartbeats and begins to send what waits: the game goes to the background.
        ///
        /// Returns whether everything was in the queue after at most `timeoutSeconds`. A queue on disk survives the
        /// process.
        /// </summary>
        public bool Pause(double timeoutSeconds = 1)
        {
            lock (_changed)
            {
                _isPaused = true;
                int tracked = _stats.Tracked;
                RequestAll();
                return WaitFor(() => _isOpen && _stored >= tracked, timeoutSeconds);
            }
        }

        /// <summary>Goes on after `Pause`.</summary>
        public void Resume()
        {
            lock (_changed) _isPaused = false;
        }

        /// <summary>Sends what waits now; returns whether nothing was left after at most `timeoutSeconds`.</summary>
        public bool Flush(double timeoutSeconds)
        {
            lock (_changed)
            {
                RequestAll();
                return WaitFor(() => _isOpen && Waiting() == 0, timeoutSeconds);
            }
        }

        /// <summary>
        /// Stores and sends what waits for at most `timeoutSeconds`; what is left on disk is sent next time.
        ///
        /// The default is 2 seconds with a queue on disk. Without one, it is the time of one request, because what is
        /// not sent by then is lost.
        /// </summary>
        public void Close(double? timeoutSeconds = null)
        {
            lock (_changed)
            {
                if (_isClosing) return;
                _isClosing = true;
            }
            AppDomain.CurrentDomain.ProcessExit -= AtExit;
            double until = Now() + (timeoutSeconds ?? (_queue.IsVolatile ? Settings.TimeoutSeconds : SecondsToClose));
            _noted.Set();
            Join(_storing, until - Now());
            Flush(until - Now());
            _stopped.Set();
            _due.Set();
            Join(_sending, Math.Max(0.1, until - Now()));
            int lost = _queue.Close();
            if (lost == 0) return;
            lock (_changed) _stats.Dropped += lost;
            Report(Text(lost) + " events were not sent, and there is no directory to keep them in");
        }

        /// <summary>Closes the client as `Close` does.</summary>
        public void Dispose()
        {
            Close();
        }

        /// <summary>Passes a problem on to the game.</summary>
        internal void Report(string problem)
        {
            try
            {
                if (Settings.OnProblem != null) Settings.OnProblem(problem);
                else Console.Error.WriteLine("player-analytics: " + problem);
            }
            catch (Exception)
            {
                // The game's own mistake must not stop its events.
            }
        }

        /// <summary>Counts an event that cannot be sent; `isNew`: `Note` has not seen it.</summary>
        internal void Refuse(string problem, bool isNew)
        {
            lock (_changed)
            {
                if (isNew) _stats.Tracked++;
                _stats.Invalid++;
            }
            Report(problem);
        }

        /// <summary>Keeps a call of `Track` until the storing thread takes it.</summary>
        internal void Note(Noted noted)
        {
            int dropped = 0;
            lock (_changed)
            {
                _stats.Tracked++;
                if (_isClosing)
                {
                    _stats.Dropped++;
                    return;
                }
                _pending.Enqueue(noted);
                _pendingBytes += noted.Payload.Length + OverheadBytes;
                for (; _pendingBytes > Settings.MemoryBytes && _pending.Count > 1; dropped++)
                {
                    _pendingBytes -= _pending.Dequeue().Payload.Length + OverheadBytes;
                }
                _stats.Dropped += dropped;
            }
            if (dropped > 0) Report("events come faster than they can be stored: " + Text(dropped) + " were dropped");
            if (!_noted.IsSet) _noted.Set();
        }

        private Thread Begin(string name, Action work)
        {
            var thread = new Thread(() => Guarded(work)) { IsBackground = true, Name = "player-analytics-" + name };
            thread.Start();
            return thread;
        }

        private void AtExit(object sender, EventArgs nothing)
        {
            Close();
        }

        /// <summary>Runs a thread's work; a defect is reported, and the work goes on.</summary>
        private void Guarded(Action work)
        {
            while (!_stopped.IsSet)
            {
                try
                {
                    work();
                    return;
                }
                catch (Exception error)
                {
                    Report("a defect of the client: " + error);
                    _stopped.Wait(1000);
                }
            }
        }

        private void Store()
        {
            if (!_isOpen) Open();
            while (true)
            {
                bool hasSessions;
                lock (_changed) hasSessions = _sessions.Count > 0;
                if (_noted.Wait(hasSessions ? 1000 : Timeout.Infinite) && !IsClosing) Thread.Sleep(GatherMilliseconds);
                _noted.Reset();
                bool isClosing = IsClosing;
                Beat();
                Queue<Noted> noted;
                int tracked;
                lock (_changed)
                {
                    noted = _pending;
                    _pending = new Queue<Noted>();
                    _pendingBytes = 0;
                    tracked = _stats.Tracked;
                }
                var lines = noted.Select(Line).Where(line => line != null).ToList();
                if (lines.Count > 0)
                {
                    _queue.Append(lines);
                    PassOn();
                }
                lock (_changed)
                {
                    if (lines.Count > 0) _oldest = _oldest ?? Now();
                    _stored = tracked;
                    Monitor.PulseAll(_changed);
                }
                if (lines.Count > 0) _due.Set();
                if (isClosing) return;
            }
        }

        /// <summary>Opens the queue, which may take as long as a disk does.</summary>
        private void Open()
        {
            _queue.Open();
            PassOn();
            lock (_changed)
            {
                _recovered = _queue.Events + _queue.Dropped;
                _wanted += _recovered;
                _isOpen = true;
                Monitor.PulseAll(_changed);
            }
            _due.Set();
        }

        private void Beat()
        {
            long now = Settings.Now();
            var due = new List<Session>();
            lock (_changed)
            {
                _sessions.RemoveAll(HasEnded);
                foreach (Session session in _sessions.Select(reference => reference.Target).OfType<Session>())
                {
                    if (now >= session.NextHeartbeat && !_isPaused && !_isClosing) due.Add(session);
                }
            }
            foreach (Session session in due)
            {
                session.NextHeartbeat = now + (long)(Settings.HeartbeatSeconds * 1000);
                session.Track(new SessionHeartbeat(session.Elapsed(now)));
            }
        }

        private static bool HasEnded(WeakReference reference)
        {
            var session = (Session)reference.Target;
            return session == null || session.HasEnded;
        }

        /// <summary>Returns an event's line of the queue, null where it cannot be sent.</summary>
        private byte[] Line(Noted noted)
        {
            string refused;
            try
            {
                byte[] line = Checked(noted, out refused);
                if (line != null) return line;
            }
            catch (Exception error)
            {
                refused = "malformed_json: " + error.Message;
            }
            Refuse((noted.EventType ?? "null") + " was not sent: " + refused, false);
            return null;
        }

        private byte[] Checked(Noted noted, out string refused)
        {
            Session session = noted.Session;
            Session.Identity identity = noted.Identity;
            string version = Validation.NewestVersion(noted.EventType);
            refused = null;
            if (version == null)
            {
                refused = Validation.Unknown(noted.EventType).ToString();
                return null;
            }
            // `sent_at` holds the correction of event_time until the event is sent, so that both come from one clock.
            long correction = _transport.ClockError;
            string time = Time.Text(noted.At + correction);
            // Events without consent are not kept: they must leave no gap among those that are.
            int sequence = identity.IsWithheld ? 0 : session.Sequence;
            string text = "{\"event_id\":\"" + Session.NewId() + "\",\"event_type\":\"" + noted.EventType
                + "\",\"schema_version\":\"" + version + "\",\"game_id\":" + Json.Text(_gameId) + "," + identity.Head
                + ",\"sequence\":" + Text(sequence) + ",\"event_time\":\"" + time + "\"," + identity.Tail
                + ",\"payload\":" + noted.Payload + ",\"sent_at\":" + Text(correction) + "}\n";
            byte[] line = Encoding.UTF8.GetBytes(text);
            int size = line.Length + Settings.StampBytes;
            if (size > Validation.MaxEventBytes)
            {
                string most = Text(Validation.MaxEventBytes);
                refused = "too_large: an event has at most " + most + " bytes, this one " + Text(size);
                return null;
            }
            if (Settings.Validate)
            {
                var parsed = (Dictionary<string, object>)Json.Parse(text);
                parsed["sent_at"] = time;
                Problem found = Validation.Of(parsed);
                // It is sent all the same: the quarantine keeps it, where it can be repaired and replayed.
                if (found != null) Report(noted.EventType + " will be refused: " + found);
            }
            if (!identity.IsWithheld) session.Sequence++;
            return line;
        }

        private void Send()
        {
            int attempt = 0, most = Settings.EventsOfARequest;
            while (!_stopped.IsSet)
            {
                _due.Wait(MillisecondsUntilDue());
                _due.Reset();
                int number;
                IList<byte[]> lines;
                while (!_stopped.IsSet && IsDue() && (lines = _queue.Head(out number)) != null)
                {
                    var sent = lines.Take(most).ToList();
                    Answer answer = _transport.Send(sent);
                    Settle(number, lines, answer, sent.Count);
                    if (answer.IsTooMuch)
                    {
                        most = Math.Max(1, sent.Count / 2);
                    }
                    else if (answer.Retry.Count == 0)
                    {
                        attempt = 0;
                        most = Math.Min(most * 2, Settings.EventsOfARequest);
                    }
                    else
                    {
                        // A clock that was just corrected deserves one attempt at once.
                        if (!(answer.IsClockWrong && attempt == 0))
                        {
                            double delay = Transport.RetryDelay(attempt, answer.RetryAfter, Settings);
                            _stopped.Wait(Milliseconds(delay));
                        }
                        attempt++;
                    }
                }
            }
        }

        private void Settle(int number, IList<byte[]> lines, Answer answer, int count)
        {
            foreach (var refused in answer.Rejected)
            {
                Report(TypeOf(lines[refused.Key]) + " was refused: " + refused.Value);
            }
            if (answer.Problem != "") Report(answer.Problem);
            _queue.Settle(number, answer.Retry.Select(index => lines[index]).Concat(lines.Skip(count)).ToList());
            PassOn();
            bool isEmpty = _queue.Events == 0;
            lock (_changed)
            {
                _oldest = isEmpty ? (double?)null : Now();
                _stats.Accepted += answer.Accepted;
                _stats.Rejected += answer.Rejected.Count;
                _stats.Requests++;
                if (answer.Retry.Count > 0) _stats.FailedRequests++;
                Monitor.PulseAll(_changed);
            }
        }

        private static object TypeOf(byte[] line)
        {
            return ((Dictionary<string, object>)Json.Parse(Encoding.UTF8.GetString(line)))["event_type"];
        }

        private void PassOn()
        {
            for (string problem; (problem = _queue.NextProblem()) != null;) Report(problem);
        }

        private bool IsClosing
        {
            get { lock (_changed) return _isClosing; }
        }

        /// <summary>Returns how many events wait. The caller holds the lock, as for the next three methods.</summary>
        private int Waiting()
        {
            return _recovered + _stats.Tracked - Settled();
        }

        /// <summary>Returns how many events need nothing any more; the oldest are settled first.</summary>
        private int Settled()
        {
            return _stats.Accepted + _stats.Rejected + _stats.Invalid + _stats.Dropped + _queue.Dropped;
        }

        private void RequestAll()
        {
            _wanted = _recovered + _stats.Tracked;
            _noted.Set();
            _due.Set();
        }

        private bool WaitFor(Func<bool> isDone, double seconds)
        {
            double until = Now() + seconds;
            while (!isDone())
            {
                double left = until - Now();
                if (left <= 0) return false;
                Monitor.Wait(_changed, Milliseconds(left));
            }
            return true;
        }

        private bool IsDue()
        {
            bool isWanted;
            lock (_changed)
            {
                if (!_isOpen) return false;
                isWanted = Settled() < _wanted;
            }
            return isWanted || _queue.IsFullBatch || MillisecondsUntilDue() == 0;
        }

        /// <summary>
        /// Returns the time until the oldest event must be sent, Timeout.Infinite where there is none.
        /// </summary>
        private int MillisecondsUntilDue()
        {
            lock (_changed)
            {
                if (!_oldest.HasValue) return Timeout.Infinite;
                double left = _oldest.Value + Settings.BatchSeconds - Now();
                return left <= 0 ? 0 : Milliseconds(left);
            }
        }

        private double Now()
        {
            return _time.Elapsed.TotalSeconds;
        }

        private static void Join(Thread thread, double seconds)
        {
            // A callback of the game, which runs on the client's threads, may close the client.
            if (thread != Thread.CurrentThread) thread.Join(Milliseconds(seconds));
        }

        /// <summary>Returns milliseconds that .NET can wait for, rounded up so that no wait ends early.</summary>
        private static int Milliseconds(double seconds)
        {
            return (int)Math.Min(int.MaxValue, Math.Ceiling(Math.Max(0, seconds) * 1000));
        }

        private static string Text(long number)
        {
            return number.ToString(CultureInfo.InvariantCulture);
        }
    }
}

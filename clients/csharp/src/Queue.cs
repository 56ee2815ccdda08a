using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace PlayerAnalytics
{
    /// <summary>
    /// The offline queue: first in, first out, of a bounded size. Where the disk fails, events go on in memory.
    /// </summary>
    internal sealed class Queue
    {
        private sealed class Segment
        {
            public int Number;
            public int Events;
            public long Size;
        }

        private readonly object _lock = new object();
        private readonly long _maxBytes;
        private readonly int _segmentEvents;
        private readonly int _segmentBytes;
        private readonly List<Segment> _segments = new List<Segment>();
        private readonly Queue<string> _problems = new Queue<string>();
        private IStore _store;
        private Segment _open;
        private Segment _taken;
        private volatile int _dropped;

        public Queue(IStore store, Settings limits)
        {
            _store = store;
            _maxBytes = limits.QueueBytes;
            _segmentEvents = limits.EventsOfARequest;
            _segmentBytes = limits.BytesOfARequest;
        }

        /// <summary>How many events were dropped. Takes no lock.</summary>
        public int Dropped
        {
            get { return _dropped; }
        }

        /// <summary>How many events wait.</summary>
        public int Events
        {
            get { lock (_lock) return _segments.Sum(segment => segment.Events); }
        }

        /// <summary>Whether events end with the process.</summary>
        public bool IsVolatile
        {
            get { lock (_lock) return _store.IsVolatile; }
        }

        /// <summary>Whether the oldest segment takes no more events.</summary>
        public bool IsFullBatch
        {
            get { lock (_lock) return _segments.Count > 1 || (_segments.Count == 1 && IsFull(_segments[0], 0)); }
        }

        /// <summary>Returns a sentence for the game that was not returned yet, null where there is none.</summary>
        public string NextProblem()
        {
            lock (_lock) return _problems.Count > 0 ? _problems.Dequeue() : null;
        }

        /// <summary>Opens the queue that is there.</summary>
        public void Open()
        {
            lock (_lock)
            {
                try
                {
                    foreach (int number in _store.Open()) Recover(number);
                    MakeRoom();
                }
                catch (Exception error)
                {
                    FallBack(error);
                }
            }
        }

        /// <summary>Adds lines, each with its line break.</summary>
        public void Append(IList<byte[]> lines)
        {
            lock (_lock)
            {
                var run = new List<byte[]>();
                foreach (byte[] line in lines)
                {
                    if (_open == null || IsFull(_open, line.Length))
                    {
                        Write(run);
                        run.Clear();
                        int last = _segments.Count > 0 ? _segments[_segments.Count - 1].Number : 0;
                        _open = new Segment { Number = last + 1 };
                        _segments.Add(_open);
                    }
                    _open.Events++;
                    _open.Size += line.Length;
                    run.Add(line);
                }
                Write(run);
                MakeRoom();
            }
        }

        /// <summary>
        /// Returns the lines of the oldest segment, to which nothing is added any more; null where there is none.
        /// </summary>
        public IList<byte[]> Head(out int number)
        {
            lock (_lock)
            {
                while (_segments.Count > 0)
                {
                    Segment segment = _taken = _segments[0];
                    number = segment.Number;
                    if (segment == _open) _open = null;
                    try
                    {
                        IList<byte[]> lines = Lines(_store.Read(number));
                        if (lines.Count > 0) return lines;
                        _dropped += segment.Events;
                        Forget(segment);
                    }
                    catch (Exception error)
                    {
                        FallBack(error);
                    }
                }
                _taken = null;
                number = 0;
                return null;
            }
        }

        /// <summary>Keeps of a segment only the lines that are still to be sent.</summary>
        public void Settle(int number, IList<byte[]> left)
        {
            lock (_lock)
            {
                _taken = null;
                Segment segment = _segments.FirstOrDefault(each => each.Number == number);
                if (segment == null || left.Count == segment.Events) return;
                try
                {
                    if (left.Count > 0)
                    {
                        byte[] lines = Joined(left);
                        _store.Replace(number, lines);
                        segment.Events = left.Count;
                        segment.Size = lines.Length;
                    }
                    else
                    {
                        _segments.Remove(segment);
                        _store.Remove(number);
                    }
                }
                catch (Exception error)
                {
                    FallBack(error);
                }
            }
        }

        /// <summary>Closes the files; returns how many events end with the process.</summary>
        public int Close()
        {
            lock (_lock)
            {
                Ignore(_store.Close);
                return _store.IsVolatile ? Events : 0;
            }
        }

        private void Recover(int number)
        {
            byte[] lines = _store.Read(number);
            IList<byte[]> all = Lines(lines);
            // A process that was killed may have left a part of a line, a machine that lost power anything.
            var good = all.Where(IsEvent).ToList();
            _dropped += all.Count - good.Count;
            if (good.Count == 0)
            {
                _store.Remove(number);
                return;
            }
            if (good.Count < all.Count) _store.Replace(number, lines = Joined(good));
            _segments.Add(new Segment { Number = number, Events = good.Count, Size = lines.Length });
        }

        private bool IsFull(Segment segment, int more)
        {
            return segment.Events >= _segmentEvents || segment.Size + more > _segmentBytes;
        }

        private void Write(IList<byte[]> lines)
        {
            if (lines.Count == 0) return;
            byte[] joined = Joined(lines);
            try
            {
                _store.Append(_open.Number, joined);
            }
            catch (Exception error)
            {
                FallBack(error);
                _store.Append(_open.Number, joined);
            }
        }

        private void MakeRoom()
        {
            int dropped = 0;
            while (_segments.Sum(segment => segment.Size) > _maxBytes)
            {
                // What is being sent now stays until its answer comes.
                Segment oldest = _segments.FirstOrDefault(segment => segment != _taken);
                if (oldest == null || oldest == _open) break;
                dropped += oldest.Events;
                Forget(oldest);
            }
            if (dropped == 0) return;
            _dropped += dropped;
            _problems.Enqueue("the queue is full: its " + Text(dropped) + " oldest events were dropped");
        }

        private void Forget(Segment segment)
        {
            _segments.Remove(segment);
            Ignore(() => _store.Remove(segment.Number));
        }

        /// <summary>Goes on in memory with what can still be read.</summary>
        private void FallBack(Exception error)
        {
            _problems.Enqueue("the queue on disk fails, events wait in memory: " + error.Message);
            IStore memory = new MemoryStore(), disk = _store;
            foreach (Segment segment in _segments.ToList())
            {
                try
                {
                    byte[] whole = Joined(Lines(disk.Read(segment.Number)).Where(IsWhole).ToList());
                    memory.Append(segment.Number, whole);
                }
                catch (Exception)
                {
                    if (segment == _open) continue;
                    _dropped += segment.Events;
                    _segments.Remove(segment);
                }
            }
            Ignore(disk.Close);
            _store = memory;
        }

        private static void Ignore(Action work)
        {
            try
            {
                work();
            }
            catch (Exception)
            {
                // What stays on disk is sent again after the next start, and counts once.
            }
        }

        private static bool IsEvent(byte[] line)
        {
            try
            {
                var found = Json.Parse(Encoding.UTF8.GetString(line)) as Dictionary<string, object>;
                return IsWhole(line) && found != null && found["sent_at"] is long;
            }
            catch (Exception)
            {
                return false;
            }
        }

        private static bool IsWhole(byte[] line)
        {
            return line[line.Length - 1] == '\n';
        }

        private static IList<byte[]> Lines(byte[] text)
        {
            var found = new List<byte[]>();
            for (int start = 0, end; start < text.Length; start = end)
            {
                end = Array.IndexOf(text, (byte)'\n', start) + 1;
                if (end == 0) end = text.Length;
                var line = new byte[end - start];
                Buffer.BlockCopy(text, start, line, 0, line.Length);
                found.Add(line);
            }
            return found;
        }

        private static byte[] Joined(IList<byte[]> lines)
        {
            var all = new byte[lines.Sum(line => line.Length)];
            int at = 0;
            foreach (byte[] line in lines)
            {
                Buffer.BlockCopy(line, 0, all, at, line.Length);
                at += line.Length;
            }
            return all;
        }

        private static string Text(int number)
        {
            return number.ToString(CultureInfo.InvariantCulture);
        }
    }
}

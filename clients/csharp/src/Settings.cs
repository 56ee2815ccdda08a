using System;

namespace PlayerAnalytics
{
    /// <summary>Whether requests are signed. "InsteadOfKey" is for games that demand signatures.</summary>
    public enum Signature
    {
        None,
        BesideKey,
        InsteadOfKey,
    }

    /// <summary>
    /// How the client keeps and sends events. The client reads the settings once, when it is made.
    ///
    /// The client sends a batch when it holds `BatchEvents` events or `BatchBytes` bytes, or when its oldest event is
    /// `BatchSeconds` old. The queue holds at most `QueueBytes`, and the oldest events go first.
    /// </summary>
    public sealed class Settings
    {
        internal const int MaxRequestEvents = 500;
        internal const int MaxRequestBytes = 1000000;
        /// <summary>What `sent_at` adds to an event when it is sent, and a line break.</summary>
        internal const int StampBytes = 40;

        public double BatchSeconds { get; set; } = 30;
        public int BatchEvents { get; set; } = 100;
        public int BatchBytes { get; set; } = 256000;
        /// <summary>The offline queue. Without one, events wait in memory and end with the process.</summary>
        public string Directory { get; set; }
        public long QueueBytes { get; set; } = 20000000;
        /// <summary>
        /// Events between `Track` and the queue; they stay there for milliseconds unless the disk is stuck.
        /// </summary>
        public long MemoryBytes { get; set; } = 4000000;
        public double HeartbeatSeconds { get; set; } = 60;
        public double TimeoutSeconds { get; set; } = 15;
        /// <summary>The longest wait before the second attempt. It doubles with each attempt.</summary>
        public double FirstRetrySeconds { get; set; } = 1;
        public double LongestRetrySeconds { get; set; } = 300;
        public Signature Signature { get; set; } = Signature.None;
        public bool Validate { get; set; } = true;
        /// <summary>
        /// Called with one sentence for each problem, on any thread; null writes to the standard error output.
        /// </summary>
        public Action<string> OnProblem { get; set; }
        /// <summary>The game's clock; null is DateTime.UtcNow.</summary>
        public Func<DateTime> Clock { get; set; }

        internal Settings Copy()
        {
            return (Settings)MemberwiseClone();
        }

        internal int EventsOfARequest
        {
            get { return Math.Max(1, Math.Min(BatchEvents, MaxRequestEvents)); }
        }

        internal int BytesOfARequest
        {
            get { return Math.Max(1, Math.Min(BatchBytes, MaxRequestBytes - MaxRequestEvents * StampBytes)); }
        }

        /// <summary>
        /// Returns the milliseconds since 1970 by the game's clock, by the machine's where that fails.
        /// </summary>
        internal long Now()
        {
            DateTime now = DateTime.UtcNow;
            try
            {
                if (Clock != null) now = Clock().ToUniversalTime();
            }
            catch (Exception)
            {
                // The game's own mistake must not stop its events.
            }
            return Time.Milliseconds(now);
        }
    }

    /// <summary>
    /// What became of events since the client began; `Queued` wait now.
    ///
    /// `Invalid` events never left the process; `Rejected` ones the REST API refused for good; `Dropped` ones the
    /// queue had no room for. An event may be accepted and then sent again, when the answer to it was lost.
    /// </summary>
    public sealed class Stats
    {
        public int Tracked { get; internal set; }
        public int Accepted { get; internal set; }
        public int Rejected { get; internal set; }
        public int Invalid { get; internal set; }
        public int Dropped { get; internal set; }
        public int Queued { get; internal set; }
        public int Requests { get; internal set; }
        public int FailedRequests { get; internal set; }

        internal Stats Copy()
        {
            return (Stats)MemberwiseClone();
        }
    }
}

using System;
using System.Collections.Generic;
using System.Globalization;

namespace PlayerAnalytics
{
    /// <summary>The fields of an event. Each event type has a class, which scripts/schemas generates.</summary>
    public abstract class Payload
    {
        internal abstract string EventType { get; }

        internal abstract void Write(JsonObject to);
    }

    /// <summary>A play session of one player. Make one with `Client.StartSession`; it numbers its events.</summary>
    public sealed class Session
    {
        /// <summary>The members of the envelope that stay the same between two events of a session, as JSON.</summary>
        internal sealed class Identity
        {
            public string Head = "\"player_id\":null,\"session_id\":null";
            public string Tail = "\"client\":null";
            public bool IsWithheld = true;
            public bool IsReduced = true;
        }

        // A child's events, and events without consent, leave these fields on the device: docs/adr/0015.
        private static readonly string[] DeviceFields = { "device_model", "locale", "os_version" };
        private static readonly string[] FreeFields = { "extra" };
        private static readonly string[] None = new string[0];

        private readonly Client _client;
        private readonly Device _device;
        private readonly object _lock = new object();
        private volatile Identity _identity;
        private Dictionary<string, object> _dimensions = new Dictionary<string, object>();
        private Privacy _privacy;
        private volatile bool _hasEnded;

        internal Session(Client client, string playerId, Device device, Privacy privacy)
        {
            _client = client;
            _device = device;
            PlayerId = playerId;
            SessionId = NewId();
            Began = client.Settings.Now();
            NextHeartbeat = Began + (long)(client.Settings.HeartbeatSeconds * 1000);
            SetPrivacy(privacy);
        }

        public string PlayerId { get; private set; }

        public string SessionId { get; private set; }

        internal long Began { get; private set; }

        /// <summary>This and `Sequence` belong to the storing thread.</summary>
        internal long NextHeartbeat;

        internal int Sequence;

        internal bool HasEnded
        {
            get { return _hasEnded; }
        }

        /// <summary>Notes that something happened now. Never throws, and never waits for network or disk.</summary>
        public void Track(Payload payload)
        {
            Track(payload == null ? null : payload.EventType, json => payload.Write(json));
        }

        /// <summary>
        /// The same for an event type that is chosen at run time. The fields are strings, numbers, booleans and null.
        /// </summary>
        public void Track(string eventType, IDictionary<string, object> payload)
        {
            Track(eventType, json =>
            {
                if (payload == null) return;
                foreach (var field in payload) json.Member(field.Key, field.Value);
            });
        }

        /// <summary>
        /// Says what the player agreed to, and their age group, from now on; null where nothing is asked.
        ///
        /// Without consent, an event names no player and has no free fields: the platform only counts it.
        /// </summary>
        public void SetPrivacy(Privacy privacy)
        {
            lock (_lock)
            {
                _privacy = privacy;
                Identify();
            }
        }

        /// <summary>
        /// Gives events from now on a value of a custom dimension of the game; null takes it back.
        ///
        /// A name or value that no event can have is reported, and nothing changes.
        /// </summary>
        public void SetDimension(string name, string value)
        {
            lock (_lock)
            {
                var told = new Dictionary<string, object>(_dimensions);
                if (name != null) told.Remove(name);
                if (value != null) told[name ?? ""] = value;
                Problem found = Validation.OfDimensions(told);
                if (found != null)
                {
                    _client.Report("the dimension was not set: " + found);
                    return;
                }
                _dimensions = told;
                Identify();
            }
        }

        private void Identify()
        {
            try
            {
                var said = new JsonObject();
                Privacy choice = _privacy ?? new Privacy();
                choice.Write(said);
                var granted = choice.AnalyticsStorage ?? AnalyticsStorage.Granted;
                var age = choice.AgeGroup ?? AgeGroup.Adult;
                bool isWithheld = granted != AnalyticsStorage.Granted;
                bool isReduced = isWithheld || age != AgeGroup.Adult;
                var device = new JsonObject(isReduced ? DeviceFields : None);
                if (_device.Sdk == null) device.Add("sdk", Client.Sdk);
                _device.Write(device);
                string player = isWithheld ? "withheld-" + NewId().Replace("-", "") : PlayerId;
                string session = isWithheld ? NewId() : SessionId;
                string told = isReduced || _dimensions.Count == 0 ? "" : ",\"dimensions\":" + Json.Text(_dimensions);
                _identity = new Identity
                {
                    Head = "\"player_id\":" + Json.Text(player) + ",\"session_id\":\"" + session + "\"",
                    Tail = "\"client\":" + device + (said.IsEmpty ? "" : ",\"privacy\":" + said) + told,
                    IsWithheld = isWithheld,
                    IsReduced = isReduced,
                };
            }
            catch (Exception error)
            {
                _client.Report("the session of a player cannot be used: " + error.Message);
                _identity = new Identity();
            }
        }

        /// <summary>Tracks session_end, with the length of the session.</summary>
        public void End(SessionEndReason reason = SessionEndReason.Exit)
        {
            lock (_lock)
            {
                if (_hasEnded) return;
                _hasEnded = true;
            }
            Track(new SessionEnd(Elapsed(_client.Settings.Now())) { EndReason = reason });
        }

        /// <summary>Returns the whole seconds since the session began.</summary>
        internal long Elapsed(long now)
        {
            return Math.Max(0, (now - Began) / 1000);
        }

        internal static string NewId()
        {
            return Guid.NewGuid().ToString("D", CultureInfo.InvariantCulture);
        }

        private void Track(string eventType, Action<JsonObject> write)
        {
            try
            {
                Identity identity = _identity;
                var payload = new JsonObject(identity.IsReduced ? FreeFields : None);
                if (eventType != null) write(payload);
                _client.Note(new Noted(this, identity, eventType, payload.ToString(), _client.Settings.Now()));
            }
            catch (Exception error)
            {
                _client.Refuse((eventType ?? "null") + " was not sent: malformed_json: " + error.Message, true);
            }
        }
    }

    /// <summary>A call of `Track`, with the player's choices at that moment.</summary>
    internal sealed class Noted
    {
        public readonly Session Session;
        public readonly Session.Identity Identity;
        public readonly string EventType;
        public readonly string Payload;
        public readonly long At;

        public Noted(Session session, Session.Identity identity, string eventType, string payload, long at)
        {
            Session = session;
            Identity = identity;
            EventType = eventType;
            Payload = payload;
            At = at;
        }
    }
}

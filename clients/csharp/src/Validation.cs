using System.Collections.Generic;
using System.Linq;

namespace PlayerAnalytics
{
    /// <summary>Why an event is refused, as the REST API says it.</summary>
    internal sealed class Problem
    {
        public readonly string Reason;
        public readonly IList<FieldError> Errors;

        public Problem(string reason, IList<FieldError> errors)
        {
            Reason = reason;
            Errors = errors;
        }

        /// <summary>Returns the reason with all errors, each with its pointer.</summary>
        public override string ToString()
        {
            return Reason + " " + string.Join("; ", Errors.Select(Text));
        }

        private static string Text(FieldError error)
        {
            return "at " + (error.Pointer == "" ? "/" : error.Pointer) + ": " + error.Message;
        }
    }

    /// <summary>
    /// Finds what the REST API would refuse in an event, and says it with the REST API's own words.
    ///
    /// The REST API stays the judge: this check spares a developer the round trip.
    /// </summary>
    internal static class Validation
    {
        public const int MaxEventBytes = 64 * 1024;

        // Parsed by the first event, on the client's own thread.
        private static readonly Dictionary<string, object> All = (Dictionary<string, object>)Json.Parse(Schemas.Text);
        private static readonly Dictionary<string, object> Payloads = (Dictionary<string, object>)All["payloads"];
        private static readonly Dictionary<string, Dictionary<string, object>> Wholes =
            new Dictionary<string, Dictionary<string, object>>();

        /// <summary>
        /// Returns the newest schema_version of an event type, null where the catalogue has no such type.
        /// </summary>
        public static string NewestVersion(string eventType)
        {
            object found;
            if (eventType == null || !Payloads.TryGetValue(eventType, out found)) return null;
            return (string)((Dictionary<string, object>)found)["version"];
        }

        /// <summary>Returns the problem of an event type that the catalogue does not have.</summary>
        public static Problem Unknown(string eventType)
        {
            var error = FieldErrors.UnknownType(eventType ?? "null", Payloads.Keys.ToList());
            return new Problem("unknown_schema", new[] { error });
        }

        /// <summary>
        /// Returns what is wrong with an event of a known type, null where it has the form of its schema.
        /// </summary>
        public static Problem Of(Dictionary<string, object> its)
        {
            var forms = (Dictionary<string, object>)All["forms"];
            var errors = new FieldErrors(forms).Of(its, Whole((string)its["event_type"]));
            return errors.Count > 0 ? new Problem("schema_violation", errors) : null;
        }

        /// <summary>
        /// Returns what is wrong with values of custom dimensions, null where an event can have them.
        /// </summary>
        public static Problem OfDimensions(Dictionary<string, object> dimensions)
        {
            var forms = (Dictionary<string, object>)All["forms"];
            var envelope = (Dictionary<string, object>)All["envelope"];
            var all = (Dictionary<string, object>)envelope["properties"];
            var properties = new Dictionary<string, object> { { "dimensions", all["dimensions"] } };
            var schema = new Dictionary<string, object> { { "type", "object" }, { "properties", properties } };
            var value = new Dictionary<string, object> { { "dimensions", dimensions } };
            var errors = new FieldErrors(forms).Of(value, schema);
            return errors.Count > 0 ? new Problem("schema_violation", errors) : null;
        }

        private static Dictionary<string, object> Whole(string eventType)
        {
            lock (Wholes)
            {
                Dictionary<string, object> found;
                if (Wholes.TryGetValue(eventType, out found)) return found;
                var envelope = (Dictionary<string, object>)All["envelope"];
                var properties = new Dictionary<string, object>((Dictionary<string, object>)envelope["properties"]);
                properties["payload"] = ((Dictionary<string, object>)Payloads[eventType])["schema"];
                found = new Dictionary<string, object>(envelope);
                found["properties"] = properties;
                return Wholes[eventType] = found;
            }
        }
    }
}

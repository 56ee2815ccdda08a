using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;

namespace PlayerAnalytics
{
    /// <summary>One error; `Pointer` (RFC 6901) is where the field is or should be, "" for the whole event.</summary>
    internal sealed class FieldError
    {
        public readonly string Pointer;
        public readonly string Message;

        public FieldError(string pointer, string message)
        {
            Pointer = pointer;
            Message = message;
        }
    }

    /// <summary>
    /// Says in sentences what is wrong with an event, as the REST API and the Python client do: their field_errors.py
    /// explains the limits and the order. Values and schemas are what Json.Parse returns.
    /// </summary>
    internal sealed class FieldErrors
    {
        private const int MaxErrors = 16;
        private const int MaxText = 300;
        private const int MaxQuoted = 48;
        private const int MaxName = 64;
        private const int MaxListed = 12;
        private const double GreatestShown = 1e15;
        private const double SmallestShown = 1e-4;
        private const int MinMisspelt = 4;
        private static readonly string[] Nowhere = new string[0];
        private static readonly Dictionary<string, object> Empty = new Dictionary<string, object>();
        private static readonly Dictionary<string, Regex> Patterns = new Dictionary<string, Regex>();
        private static readonly Dictionary<string, string> Kinds = new Dictionary<string, string>
        {
            { "null", "null" },
            { "boolean", "a boolean" },
            { "integer", "a whole number" },
            { "number", "a number" },
            { "string", "a string" },
            { "array", "a list" },
            { "object", "an object" },
        };

        private readonly Dictionary<string, object> _forms;

        /// <summary>`forms` has words for each pattern.</summary>
        public FieldErrors(Dictionary<string, object> forms)
        {
            _forms = forms;
        }

        /// <summary>Returns the errors of a value, at most MaxErrors.</summary>
        public IList<FieldError> Of(object value, Dictionary<string, object> schema)
        {
            return Errors(value, schema, Nowhere).Take(MaxErrors).ToList();
        }

        /// <summary>Returns the error of an event type that the catalogue does not have.</summary>
        public static FieldError UnknownType(string eventType, IList<string> known)
        {
            return Error("there is no event type " + Name(eventType) + Meant(eventType, known), new[] { "event_type" });
        }

        private IEnumerable<FieldError> Errors(object value, Dictionary<string, object> schema, string[] at)
        {
            string wrong = Wrong(value, schema);
            if (wrong != "") yield return Error(Label(at) + " must " + wrong, at);
            var members = value as Dictionary<string, object>;
            if (members == null) yield break;
            foreach (FieldError error in Members(members, schema, at)) yield return error;
        }

        /// <summary>Returns what follows "must" in the error of a value by itself, "" where it has none.</summary>
        private string Wrong(object value, Dictionary<string, object> schema)
        {
            object type = Get(schema, "type");
            IList<string> kinds = type is string ? new[] { (string)type } : Strings(type);
            if (kinds.Count > 0 && !kinds.Any(kind => Is(value, kind)))
            {
                return "be " + Listed(kinds.Select(kind => Kinds[kind]).ToList(), "or") + Not(value);
            }
            var values = Get(schema, "enum") as List<object>;
            if (values != null && !values.Contains(value)) return Choice(value, values);
            if (value is string)
            {
                string text = (string)value;
                string size = Size(Length(text), "character", Get(schema, "minLength"), Get(schema, "maxLength"));
                if (size != "") return size;
                var pattern = Get(schema, "pattern") as string;
                if (pattern != null && !Pattern(pattern).IsMatch(text))
                {
                    return "be " + (Get(_forms, pattern) ?? "of another form") + Not(value);
                }
            }
            else if (value is long || value is JsonNumber)
            {
                string limits = Outside(value, Get(schema, "minimum"), Get(schema, "maximum"));
                if (limits != "") return "be " + limits + Not(value);
            }
            else if (value is Dictionary<string, object>)
            {
                long count = ((Dictionary<string, object>)value).Count;
                return Size(count, "field", Get(schema, "minProperties"), Get(schema, "maxProperties"));
            }
            return "";
        }

        private IEnumerable<FieldError> Members(
            Dictionary<string, object> value, Dictionary<string, object> schema, string[] at)
        {
            var fields = Get(schema, "properties") as Dictionary<string, object> ?? Empty;
            object others = Get(schema, "additionalProperties");
            var known = fields.Keys.ToList();
            var unknown = new List<string>();
            if (false.Equals(others))
            {
                unknown.AddRange(value.Keys.Where(own => !fields.ContainsKey(own)).Take(MaxErrors));
            }
            var meant = unknown.ToDictionary(own => own, own => Nearest(own, known));
            var written = new Dictionary<string, string>();
            foreach (string own in unknown) if (meant[own] != null) written[meant[own]] = own;
            IList<string> required = Strings(Get(schema, "required"));
            foreach (var field in fields)
            {
                string[] place = Below(at, field.Key);
                if (value.ContainsKey(field.Key))
                {
                    var described = (Dictionary<string, object>)field.Value;
                    foreach (FieldError error in Errors(value[field.Key], described, place)) yield return error;
                }
                else if (required.Contains(field.Key))
                {
                    string own;
                    bool isWritten = written.TryGetValue(field.Key, out own);
                    string hint = isWritten ? "; did you write it as " + Name(own) + "?" : "";
                    yield return Error(Label(place) + " is missing" + hint, place);
                }
            }
            foreach (var needed in Get(schema, "dependentRequired") as Dictionary<string, object> ?? Empty)
            {
                if (!value.ContainsKey(needed.Key)) continue;
                foreach (string one in Strings(needed.Value).Where(one => !value.ContainsKey(one)))
                {
                    string[] place = Below(at, one);
                    yield return Error(Label(place) + " is missing: " + Quoted(needed.Key) + " needs it", place);
                }
            }
            foreach (string own in unknown)
            {
                string hint = meant[own] != null ? "; did you mean " + Quoted(meant[own]) + "?" : "";
                if (hint == "" && fields.ContainsKey("extra"))
                {
                    hint = "; fields of your own belong in " + Label(Below(at, "extra"));
                }
                yield return Error(Label(at) + " has no field " + Name(own) + hint, at, own);
            }
            var free = others as Dictionary<string, object>;
            if (free != null)
            {
                var named = Get(schema, "propertyNames") as Dictionary<string, object> ?? Empty;
                foreach (var item in value.Where(item => !fields.ContainsKey(item.Key)))
                {
                    string label = Label(Below(at, item.Key));
                    string wrong = Wrong(item.Key, named);
                    if (wrong != "")
                    {
                        yield return Error("the name of " + label + " must " + wrong, at, item.Key);
                        continue;
                    }
                    wrong = Wrong(item.Value, free);
                    if (wrong != "") yield return Error(label + " must " + wrong, at, item.Key);
                }
            }
            // Event schemas use anyOf for "at least one of these fields" only.
            var ways = Get(schema, "anyOf") as List<object>;
            if (ways == null) yield break;
            var sets = ways.Select(way => Strings(Get((Dictionary<string, object>)way, "required"))).ToList();
            if (!sets.Any(names => names.All(value.ContainsKey)))
            {
                var texts = sets.Select(names => string.Join(" and ", names.Select(one => Quoted(one)))).ToList();
                yield return Error(Label(at) + " needs " + Listed(texts, "or"), at);
            }
        }

        /// <summary>
        /// Returns an error at a path of named fields, or of a field below it whose name the sender chose.
        /// </summary>
        private static FieldError Error(string message, string[] at, string chosen = "")
        {
            bool isPart = chosen != "" && Length(chosen) <= MaxName;
            var parts = isPart ? Below(at, chosen) : at;
            string pointer = string.Concat(parts.Select(part => "/" + part.Replace("~", "~0").Replace("/", "~1")));
            return new FieldError(Clipped(pointer), Clipped(message));
        }

        /// <summary>Returns the known name that a name is probably meant to be, null where none is near.</summary>
        private static string Nearest(string text, IList<string> known)
        {
            if (Length(text) > MaxName) return null;
            var spellings = new Dictionary<string, string>();
            foreach (string own in known) Note(spellings, Plain(own), own);
            foreach (string own in known)
            {
                foreach (string spelling in Shorter(Plain(own))) Note(spellings, spelling, own);
            }
            string plain = Plain(text), found;
            foreach (string spelling in new[] { plain }.Concat(Shorter(plain)))
            {
                if (spellings.TryGetValue(spelling, out found)) return found;
            }
            return null;
        }

        private static void Note(Dictionary<string, string> spellings, string spelling, string own)
        {
            if (!spellings.ContainsKey(spelling)) spellings[spelling] = own;
        }

        private static string Plain(string text)
        {
            return Regex.Replace(text, "[^A-Za-z0-9]+", "").ToLowerInvariant();
        }

        private static IEnumerable<string> Shorter(string plain)
        {
            if (plain.Length < MinMisspelt) return Nowhere;
            return Enumerable.Range(0, plain.Length).Select(i => plain.Remove(i, 1));
        }

        private static string Clipped(string text)
        {
            if (Length(text) <= MaxText) return text;
            int end = 0;
            for (int count = 0; count < MaxText - 1; count++) end += char.IsSurrogatePair(text, end) ? 2 : 1;
            return text.Substring(0, end) + "…";
        }

        /// <summary>Returns how a message calls a field: "client.platform" in quotes.</summary>
        private static string Label(string[] at)
        {
            if (at.Length == 0) return "an event";
            return Quoted(string.Join(".", at.Select(part => Length(part) <= MaxQuoted ? part : "…")));
        }

        private static string Name(string text)
        {
            return Length(text) <= MaxQuoted ? Quoted(text) : "of " + Whole(Length(text)) + " characters";
        }

        private static string Meant(string text, IList<string> known)
        {
            string found = Nearest(text, known);
            return found != null ? "; did you mean " + Quoted(found) + "?" : "";
        }

        private static string Choice(object value, List<object> values)
        {
            var shown = values.Select(Quoted).ToList();
            string text = shown.Count <= MaxListed
                ? "be " + Listed(shown, "or")
                : "be one of " + Whole(shown.Count) + " values such as " + shown[0];
            return text + Not(value) + (value is string ? Meant((string)value, values.Cast<string>().ToList()) : "");
        }

        /// <summary>Returns what is wrong with the length of a value, "" where nothing is.</summary>
        private static string Size(long count, string noun, object least, object most)
        {
            if (1L.Equals(least) && count == 0) return "not be empty";
            string limits = Outside(count, least, most);
            if (limits == "") return "";
            string unit = limits.EndsWith(" 1", StringComparison.Ordinal) ? noun : noun + "s";
            return "have " + limits + " " + unit + ", not " + Whole(count);
        }

        /// <summary>Returns the limits that a number does not keep, "" where it keeps them.</summary>
        private static string Outside(object value, object least, object most)
        {
            if ((least == null || Compare(value, least) >= 0) && (most == null || Compare(value, most) <= 0)) return "";
            if (most == null) return "at least " + Number(least);
            return least == null ? "at most " + Number(most) : "from " + Number(least) + " to " + Number(most);
        }

        private static int Compare(object value, object limit)
        {
            if (value is long && limit is long) return ((long)value).CompareTo((long)limit);
            return Double(value).CompareTo(Double(limit));
        }

        private static string Not(object value)
        {
            string shown = Shown(value);
            return shown != "" ? ", not " + shown : "";
        }

        /// <summary>Returns a value as a message shows it, "" for a number that languages write differently.</summary>
        private static string Shown(object value)
        {
            if (value is string)
            {
                long length = Length((string)value);
                return length <= MaxQuoted ? Quoted(value) : "a string of " + Whole(length) + " characters";
            }
            if (value is long || value is JsonNumber)
            {
                double size = Math.Abs(Double(value));
                return size == 0 || (size >= SmallestShown && size <= GreatestShown) ? Number(value) : "";
            }
            if (value is List<object>) return Kinds["array"];
            return value is Dictionary<string, object> ? Kinds["object"] : Quoted(value);
        }

        private static string Number(object value)
        {
            if (value is long) return Whole((long)value);
            double number = Double(value);
            return Math.Floor(number) == number ? Whole((long)number) : value.ToString();
        }

        private static string Whole(long number)
        {
            return number.ToString(CultureInfo.InvariantCulture);
        }

        private static string Quoted(object value)
        {
            return Json.Text(value);
        }

        /// <summary>Returns "a", "a or b", "a, b or c".</summary>
        private static string Listed(IList<string> words, string last)
        {
            string end = words[words.Count - 1];
            return words.Count == 1 ? end : string.Join(", ", words.Take(words.Count - 1)) + " " + last + " " + end;
        }

        /// <summary>Returns how many characters a text has; those beyond 16 bits count once.</summary>
        private static long Length(string text)
        {
            // The texts are valid: each high surrogate begins a pair.
            return text.Length - text.Count(char.IsHighSurrogate);
        }

        private static bool Is(object value, string kind)
        {
            switch (kind)
            {
                case "null": return value == null;
                case "boolean": return value is bool;
                case "string": return value is string;
                case "array": return value is List<object>;
                case "object": return value is Dictionary<string, object>;
                case "number": return value is long || value is JsonNumber;
                default: return value is long || (value is JsonNumber && Math.Floor(Double(value)) == Double(value));
            }
        }

        private static Regex Pattern(string source)
        {
            lock (Patterns)
            {
                Regex found;
                if (Patterns.TryGetValue(source, out found)) return found;
                // The $ of .NET also matches before a final newline.
                bool isAnchored = source.EndsWith("$", StringComparison.Ordinal);
                string exact = isAnchored ? source.Substring(0, source.Length - 1) + "\\z" : source;
                return Patterns[source] = new Regex(exact, RegexOptions.CultureInvariant);
            }
        }

        private static object Get(Dictionary<string, object> members, string name)
        {
            object found;
            return members.TryGetValue(name, out found) ? found : null;
        }

        private static IList<string> Strings(object list)
        {
            return list == null ? (IList<string>)Nowhere : ((List<object>)list).Cast<string>().ToList();
        }

        private static string[] Below(string[] at, string name)
        {
            return at.Concat(new[] { name }).ToArray();
        }

        private static double Double(object number)
        {
            return number is long ? (long)number : ((JsonNumber)number).Value;
        }
    }
}

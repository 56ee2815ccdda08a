using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace PlayerAnalytics
{
    /// <summary>Says why a value or a text is not JSON.</summary>
    internal sealed class JsonException : Exception
    {
        public JsonException(string message) : base(message) { }
    }

    /// <summary>A number as it was written, which no rounding has changed.</summary>
    internal sealed class JsonNumber
    {
        public readonly double Value;
        private readonly string _text;

        public JsonNumber(double value, string text)
        {
            Value = value;
            _text = text;
        }

        public override string ToString()
        {
            return _text;
        }
    }

    /// <summary>
    /// Writes and reads JSON the same way in every culture. Unity has no JSON library that reads any object.
    /// </summary>
    internal static class Json
    {
        // Deeper objects are cycles, or would exhaust the stack.
        public const int MaxDepth = 64;
        // A double holds whole numbers of as many digits, and powers of ten up to this one, exactly.
        private const int ExactDigits = 15;
        private const int ExactPower = 22;

        /// <summary>Returns a value as JSON. Throws JsonException for what JSON cannot hold.</summary>
        public static string Text(object value)
        {
            var to = new StringBuilder();
            Write(to, value, 0);
            return to.ToString();
        }

        /// <summary>Returns a text that is read back as the same number: 0.1, and not 0.10000000000000001.</summary>
        public static string Number(double value)
        {
            if (double.IsNaN(value) || double.IsInfinity(value)) throw new JsonException("a number is not finite");
            double again;
            string text = value.ToString("G15", CultureInfo.InvariantCulture);
            if (TryExactly(text, out again) && again == value) return text;
            return value.ToString("G17", CultureInfo.InvariantCulture);
        }

        /// <summary>Reads a number.</summary>
        public static bool TryNumber(string text, out double number)
        {
            if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number)) return false;
            double exact;
            // Mono's own reading is off by a last bit now and then.
            if (TryExactly(text, out exact)) number = exact;
            return true;
        }

        /// <summary>Reads a number of few digits: one operation on two exact numbers is rounded once.</summary>
        private static bool TryExactly(string text, out double number)
        {
            string[] parts = text.Split('e', 'E');
            string digits = parts[0].TrimStart('-', '+');
            int point = digits.IndexOf('.');
            int power = parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0;
            if (point >= 0) power -= digits.Length - point - 1;
            digits = digits.Replace(".", "").TrimStart('0');
            number = 0;
            if (digits.Length > ExactDigits || Math.Abs(power) > ExactPower) return false;
            double whole = digits == "" ? 0 : long.Parse(digits, CultureInfo.InvariantCulture);
            double scale = Math.Pow(10, Math.Abs(power));
            number = (power < 0 ? whole / scale : whole * scale) * (text[0] == '-' ? -1 : 1);
            return true;
        }

        public static void Write(StringBuilder to, object value, int depth)
        {
            if (depth > MaxDepth) throw new JsonException("an object is nested too deeply");
            if (value == null) to.Append("null");
            else if (value is string) Quote(to, (string)value);
            else if (value is bool) to.Append((bool)value ? "true" : "false");
            else if (value is double) to.Append(Number((double)value));
            else if (value is JsonNumber) to.Append(value);
            else if (value is float) to.Append(Single((float)value));
            else if (IsExact(value)) to.Append(Convert.ToString(value, CultureInfo.InvariantCulture));
            else if (value is IDictionary) WriteObject(to, (IDictionary)value, depth);
            else if (value is IDictionary<string, object>) WriteObject(to, (IDictionary<string, object>)value, depth);
            else if (value is IList) WriteList(to, (IList)value, depth);
            else throw new JsonException("JSON has no " + value.GetType().FullName);
        }

        public static void Quote(StringBuilder to, string text)
        {
            to.Append('"');
            for (int i = 0; i < text.Length; i++)
            {
                char c = text[i];
                int escape = "\"\\\n\r\t\b\f".IndexOf(c);
                if (escape >= 0) to.Append('\\').Append("\"\\nrtbf"[escape]);
                else if (c < ' ') to.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                else if (!char.IsSurrogate(c)) to.Append(c);
                else if (char.IsSurrogatePair(text, i)) to.Append(c).Append(text[++i]);
                else throw new JsonException("a text holds half of a character");
            }
            to.Append('"');
        }

        /// <summary>
        /// Returns a value: null, bool, long, JsonNumber, string, List of object, or Dictionary of string and object,
        /// in the order of the text. A JsonNumber has a fraction, or is beyond 64 bits. Throws JsonException.
        /// </summary>
        public static object Parse(string text)
        {
            return new JsonReader(text).Document();
        }

        private static bool IsExact(object value)
        {
            return value is int || value is long || value is uint || value is ulong || value is short || value is ushort
                || value is byte || value is sbyte || value is decimal;
        }

        private static string Single(float value)
        {
            if (float.IsNaN(value) || float.IsInfinity(value)) throw new JsonException("a number is not finite");
            return value.ToString("R", CultureInfo.InvariantCulture);
        }

        private static void WriteObject(StringBuilder to, IEnumerable members, int depth)
        {
            string separator = "{";
            foreach (object member in members)
            {
                object name, value;
                if (member is DictionaryEntry)
                {
                    name = ((DictionaryEntry)member).Key;
                    value = ((DictionaryEntry)member).Value;
                }
                else
                {
                    var pair = (KeyValuePair<string, object>)member;
                    name = pair.Key;
                    value = pair.Value;
                }
                if (!(name is string)) throw new JsonException("the name of a field must be a string");
                to.Append(separator);
                Quote(to, (string)name);
                to.Append(':');
                Write(to, value, depth + 1);
                separator = ",";
            }
            to.Append(separator == "{" ? "{}" : "}");
        }

        private static void WriteList(StringBuilder to, IList items, int depth)
        {
            to.Append('[');
            for (int i = 0; i < items.Count; i++)
            {
                if (i > 0) to.Append(',');
                Write(to, items[i], depth + 1);
            }
            to.Append(']');
        }
    }

    /// <summary>A JSON object that is written member by member. Typed members without a value are left out.</summary>
    internal sealed class JsonObject
    {
        private readonly StringBuilder _text = new StringBuilder("{");
        private readonly string[] _without;

        /// <summary>`without`: names of members that are not written.</summary>
        public JsonObject(params string[] without)
        {
            _without = without;
        }

        public void Add(string name, string value)
        {
            if (value != null) Member(name, value);
        }

        public void Add(string name, long? value)
        {
            if (value.HasValue) Member(name, value.Value);
        }

        public void Add(string name, double? value)
        {
            if (value.HasValue) Member(name, value.Value);
        }

        public void Add(string name, bool? value)
        {
            if (value.HasValue) Member(name, value.Value);
        }

        public void Add(string name, object value)
        {
            if (value != null) Member(name, value);
        }

        /// <summary>Adds a value of an enumeration, by the text that events have for it.</summary>
        public void Add(string name, string[] texts, int? value)
        {
            if (!value.HasValue) return;
            bool isKnown = value.Value >= 0 && value.Value < texts.Length;
            if (!isKnown) throw new JsonException(name + " has a value without a name");
            Member(name, texts[value.Value]);
        }

        public void Member(string name, object value)
        {
            if (Array.IndexOf(_without, name) >= 0) return;
            if (_text.Length > 1) _text.Append(',');
            Json.Quote(_text, name);
            _text.Append(':');
            Json.Write(_text, value, 1);
        }

        public bool IsEmpty
        {
            get { return _text.Length == 1; }
        }

        public override string ToString()
        {
            return _text + "}";
        }
    }

    internal sealed class JsonReader
    {
        private readonly string _text;
        private int _at;

        public JsonReader(string text)
        {
            _text = text;
        }

        public object Document()
        {
            object value = Value(0);
            if (Next() != '\0' || _at < _text.Length) throw Error();
            return value;
        }

        private object Value(int depth)
        {
            if (depth > Json.MaxDepth) throw Error();
            switch (Next())
            {
                case '{': return Members(depth);
                case '[': return Items(depth);
                case '"': return Text();
                case 't': return Word("true", true);
                case 'f': return Word("false", false);
                case 'n': return Word("null", null);
                default: return Number();
            }
        }

        private Dictionary<string, object> Members(int depth)
        {
            var found = new Dictionary<string, object>();
            _at++;
            if (Next() == '}')
            {
                _at++;
                return found;
            }
            while (true)
            {
                if (Next() != '"') throw Error();
                string name = Text();
                if (Next() != ':') throw Error();
                _at++;
                found[name] = Value(depth + 1);
                if (Ends('}')) return found;
            }
        }

        private List<object> Items(int depth)
        {
            var found = new List<object>();
            _at++;
            if (Next() == ']')
            {
                _at++;
                return found;
            }
            while (true)
            {
                found.Add(Value(depth + 1));
                if (Ends(']')) return found;
            }
        }

        /// <summary>Returns whether a list or an object ends here, instead of going on after a comma.</summary>
        private bool Ends(char end)
        {
            char found = Next();
            if (found != end && found != ',') throw Error();
            _at++;
            return found == end;
        }

        private string Text()
        {
            var text = new StringBuilder();
            for (_at++; _at < _text.Length; _at++)
            {
                char c = _text[_at];
                if (c == '"')
                {
                    _at++;
                    return text.ToString();
                }
                if (c < ' ') throw Error();
                text.Append(c == '\\' ? Escaped() : c);
            }
            throw Error();
        }

        private char Escaped()
        {
            if (++_at >= _text.Length) throw Error();
            int simple = "\"\\/nrtbf".IndexOf(_text[_at]);
            if (simple >= 0) return "\"\\/\n\r\t\b\f"[simple];
            int code;
            if (_text[_at] != 'u' || _at + 4 >= _text.Length) throw Error();
            string digits = _text.Substring(_at + 1, 4);
            const NumberStyles Hex = NumberStyles.AllowHexSpecifier;
            if (!int.TryParse(digits, Hex, CultureInfo.InvariantCulture, out code)) throw Error();
            _at += 4;
            return (char)code;
        }

        private object Number()
        {
            int start = _at;
            while (_at < _text.Length && "+-.0123456789Ee".IndexOf(_text[_at]) >= 0) _at++;
            string digits = _text.Substring(start, _at - start);
            long whole;
            double number;
            const NumberStyles Signed = NumberStyles.AllowLeadingSign;
            if (long.TryParse(digits, Signed, CultureInfo.InvariantCulture, out whole)) return whole;
            if (Json.TryNumber(digits, out number)) return new JsonNumber(number, digits);
            throw Error();
        }

        private object Word(string word, object value)
        {
            if (string.CompareOrdinal(_text, _at, word, 0, word.Length) != 0) throw Error();
            _at += word.Length;
            return value;
        }

        /// <summary>Returns the next character that is not white space, NUL at the end.</summary>
        private char Next()
        {
            while (_at < _text.Length && " \t\r\n".IndexOf(_text[_at]) >= 0) _at++;
            return _at < _text.Length ? _text[_at] : '\0';
        }

        private JsonException Error()
        {
            return new JsonException("the text is not JSON at character " + _at.ToString(CultureInfo.InvariantCulture));
        }
    }
}

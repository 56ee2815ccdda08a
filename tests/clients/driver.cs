// A game that uses the C# client as the JSON in its argument says; prints what the client counted.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using PlayerAnalytics;

internal static class Driver
{
    private static readonly List<string> Problems = new List<string>();

    private static int Main(string[] arguments)
    {
        Cultures.UseStrangest();
        var task = (Dictionary<string, object>)Json.Parse(arguments[0]);
        double clockOff = Number(task, "clock_off_seconds", 0);
        var settings = new Settings
        {
            OnProblem = problem => { lock (Problems) Problems.Add(problem); },
            Clock = () => DateTime.UtcNow.AddSeconds(clockOff),
            HeartbeatSeconds = 0,
        };
        foreach (var given in (Dictionary<string, object>)task["settings"]) Set(settings, given.Key, given.Value);
        var device = new Device(Platform.Linux, "1.4.2");
        var client = new Client((string)task["url"], (string)task["key"], device, settings);
        long before = GC.GetTotalMemory(true), grown = 0;
        long events = (long)task["events"];
        var sessions = new List<Session>();
        long players = events > 0 ? (long)task["players"] : 0;
        for (int n = 0; n < players; n++) sessions.Add(client.StartSession(Invariant("p-{0}", n)));
        var extra = new Dictionary<string, object> { { "padding", new string('x', 250) } };
        for (int n = 0; n < Number(task, "padding", 0); n++) extra[Invariant("padding_{0}", n)] = new string('x', 250);
        string name = task.ContainsKey("name") ? (string)task["name"] : "test:event";
        double flushesAfter = Number(task, "flushes_after", -1), flushSeconds = Number(task, "flush_seconds", 0);
        for (int number = 0; number < events; number++)
        {
            sessions[number % sessions.Count].Track(new Design(name) { Value = number, Extra = extra });
            if (number == flushesAfter) client.Flush(flushSeconds);
            if (number % 10 == 9 && task.ContainsKey("tells_stored"))
            {
                if (client.Pause(300)) Console.WriteLine(Invariant("stored {0}", number));
                client.Resume();
            }
            // The storing thread keeps up, so that it is the queue that fills and not the memory before it.
            if (task.ContainsKey("padding") && number % 100 == 99 && client.Pause(300)) client.Resume();
            if (number % 1000 == 999) grown = Math.Max(grown, GC.GetTotalMemory(true) - before);
        }
        if (task.ContainsKey("exits")) Environment.Exit(0);
        // A busy machine may store slowly: the short times of some tests are those of sending.
        client.Pause(300);
        bool isEmpty = client.Flush(flushSeconds);
        client.Close(Number(task, "close_seconds", 2));
        lock (Problems)
        {
            Console.WriteLine(Json.Text(new Dictionary<string, object>
            {
                { "stats", Counted(client.Stats) },
                { "is_empty", isEmpty },
                { "problems", Problems },
                { "grown_bytes", grown },
            }));
        }
        return 0;
    }

    private static double Number(Dictionary<string, object> task, string name, double otherwise)
    {
        object found;
        return task.TryGetValue(name, out found) ? (double)Plain(found, typeof(double)) : otherwise;
    }

    private static string Invariant(string format, int number)
    {
        return string.Format(CultureInfo.InvariantCulture, format, number);
    }

    /// <summary>Sets a setting by its name in Python: batch_seconds.</summary>
    private static void Set(Settings settings, string name, object value)
    {
        var property = typeof(Settings).GetProperty(Pascal(name));
        if (property.PropertyType.IsEnum) value = Enum.Parse(property.PropertyType, Pascal((string)value));
        else if (value != null) value = Plain(value, property.PropertyType);
        property.SetValue(settings, value, null);
    }

    private static object Plain(object value, Type type)
    {
        object plain = value is JsonNumber ? ((JsonNumber)value).Value : value;
        return Convert.ChangeType(plain, type, CultureInfo.InvariantCulture);
    }

    private static string Pascal(string name)
    {
        var parts = name.Split('_').Select(part => part.Substring(0, 1).ToUpperInvariant() + part.Substring(1));
        return string.Concat(parts);
    }

    private static Dictionary<string, object> Counted(Stats stats)
    {
        return typeof(Stats).GetProperties().ToDictionary(
            property => Snake(property.Name), property => property.GetValue(stats, null));
    }

    private static string Snake(string name)
    {
        return string.Concat(name.Select((c, i) => (i > 0 && char.IsUpper(c) ? "_" : "") + char.ToLowerInvariant(c)));
    }
}

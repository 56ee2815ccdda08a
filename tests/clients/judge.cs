// Prints, for each event that comes as a line of JSON, the JSON that the client would send and what it says of it.
// A line with a name is an event type that the catalogue does not have.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using PlayerAnalytics;

internal static class Judge
{
    private static void Main()
    {
        Cultures.UseTurkish();
        var encoding = new UTF8Encoding(false);
        using (var from = new StreamReader(Console.OpenStandardInput(), encoding))
        using (var to = new StreamWriter(Console.OpenStandardOutput(), encoding))
        {
            for (string line; (line = from.ReadLine()) != null;)
            {
                var parsed = (Dictionary<string, object>)Json.Parse(line);
                bool isName = parsed.ContainsKey("name");
                Problem said = isName ? Validation.Unknown((string)parsed["name"]) : Validation.Of(parsed);
                to.Write(Json.Text(new object[] { Json.Text(parsed), said == null ? null : Shown(said) }) + "\n");
            }
        }
    }

    private static Dictionary<string, object> Shown(Problem problem)
    {
        var errors = problem.Errors.Select(error => new Dictionary<string, object>
        {
            { "pointer", error.Pointer },
            { "message", error.Message },
        });
        return new Dictionary<string, object> { { "reason", problem.Reason }, { "errors", errors.ToList() } };
    }
}

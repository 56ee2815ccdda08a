// Prints each setting of the C# client with its default.
using System;
using System.Linq;
using PlayerAnalytics;

internal static class Defaults
{
    private static void Main()
    {
        var settings = new Settings();
        Console.WriteLine(Json.Text(typeof(Settings).GetProperties().ToDictionary(
            property => property.Name, property => (object)Shown(property.GetValue(settings, null)))));
    }

    private static string Shown(object value)
    {
        return value is Enum ? value.ToString() : Json.Text(value);
    }
}

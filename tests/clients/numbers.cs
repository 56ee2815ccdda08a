// Prints, for each line with the bits of a double as a whole number, the JSON that the client would send.
using System;
using System.Globalization;
using PlayerAnalytics;

internal static class Numbers
{
    private static void Main()
    {
        Cultures.UseStrangest();
        for (string line; (line = Console.ReadLine()) != null;)
        {
            long bits = long.Parse(line, CultureInfo.InvariantCulture);
            Console.WriteLine(Json.Text(BitConverter.Int64BitsToDouble(bits)));
        }
    }
}

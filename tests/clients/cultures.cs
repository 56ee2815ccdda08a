using System.Globalization;

/// <summary>Cultures in which careless programs write wrong JSON.</summary>
internal static class Cultures
{
    /// <summary>
    /// Uses a culture with its own calendar, digits that are grouped, and signs that JSON does not know.
    /// </summary>
    public static void UseStrangest()
    {
        var culture = new CultureInfo("th-TH");
        culture.NumberFormat.NumberDecimalSeparator = ",";
        culture.NumberFormat.NegativeSign = "\u2212";
        culture.DateTimeFormat.TimeSeparator = ".";
        culture.DateTimeFormat.DateSeparator = "/";
        culture.DateTimeFormat.Calendar = new ThaiBuddhistCalendar();
        Use(culture);
    }

    /// <summary>Uses Turkish, whose lower-case I has no dot.</summary>
    public static void UseTurkish()
    {
        Use(new CultureInfo("tr-TR"));
    }

    private static void Use(CultureInfo culture)
    {
        CultureInfo.DefaultThreadCurrentCulture = culture;
        CultureInfo.CurrentCulture = culture;
    }
}

using System.Globalization;
using System.IO;
using PlayerAnalytics;
using UnityEngine;

/// <summary>
/// Sends a Unity game's events. Put it on an object of the first scene, and fill in its two fields.
///
/// Anywhere in the game: UnityAnalytics.Session.Track(new ScoreSubmitted("global", 15200)).
/// </summary>
public sealed class UnityAnalytics : MonoBehaviour
{
    private const string PlayerKey = "player_analytics_player";

    [SerializeField] private string url = "https://events.example.com";
    [SerializeField] private string key = "my-game.SECRET";

    private static Client client;

    /// <summary>The session of this run of the game; null before the first scene.</summary>
    public static Session Session { get; private set; }

    private void Awake()
    {
        if (client != null)
        {
            // The first scene was loaded again.
            Destroy(gameObject);
            return;
        }
        DontDestroyOnLoad(gameObject);
        client = new Client(url, key, Device(), new Settings
        {
            Directory = Path.Combine(Application.persistentDataPath, "events"),
            OnProblem = problem => Debug.LogWarning("player-analytics: " + problem),
        });
        Session = client.StartSession(PlayerId());
    }

    private void OnApplicationPause(bool isPaused)
    {
        if (client == null) return;
        // A phone may end a game in the background at any time. What is on disk by then is sent after the next start.
        if (isPaused) client.Pause();
        else client.Resume();
    }

    private void OnApplicationQuit()
    {
        if (client == null) return;
        Session.End();
        client.Close();
        client = null;
    }

    /// <summary>Returns a random id that stays with this installation. A game with accounts has better ones.</summary>
    private static string PlayerId()
    {
        string id = PlayerPrefs.GetString(PlayerKey);
        if (string.IsNullOrEmpty(id))
        {
            id = System.Guid.NewGuid().ToString();
            PlayerPrefs.SetString(PlayerKey, id);
        }
        return id;
    }

    private static Device Device()
    {
        string locale = CultureInfo.CurrentCulture.Name;
        return new Device(CurrentPlatform(), Application.version)
        {
            OsVersion = Short(SystemInfo.operatingSystem),
            DeviceModel = Short(SystemInfo.deviceModel),
            Locale = locale == "" ? null : locale,
        };
    }

    /// <summary>Returns as much of a text as an event may have.</summary>
    private static string Short(string text)
    {
        return text.Length <= 64 ? text : text.Substring(0, 64);
    }

    private static Platform CurrentPlatform()
    {
        switch (Application.platform)
        {
            case RuntimePlatform.IPhonePlayer: return Platform.Ios;
            case RuntimePlatform.Android: return Platform.Android;
            case RuntimePlatform.WindowsEditor:
            case RuntimePlatform.WindowsPlayer: return Platform.Windows;
            case RuntimePlatform.OSXEditor:
            case RuntimePlatform.OSXPlayer: return Platform.Macos;
            case RuntimePlatform.LinuxEditor:
            case RuntimePlatform.LinuxPlayer: return Platform.Linux;
            case RuntimePlatform.PS4:
            case RuntimePlatform.PS5: return Platform.Playstation;
            case RuntimePlatform.XboxOne: return Platform.Xbox;
            case RuntimePlatform.Switch: return Platform.Switch;
            default: return Platform.Other;
        }
    }
}

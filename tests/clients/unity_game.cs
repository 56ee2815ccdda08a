// Starts, pauses and ends the example component as Unity does. The arguments are URL, key, and a folder.
using System;
using System.Globalization;
using System.Reflection;
using PlayerAnalytics;
using UnityEngine;

internal static class UnityGame
{
    private static void Main(string[] arguments)
    {
        CultureInfo.CurrentCulture = new CultureInfo("de-DE");
        Application.persistentDataPath = arguments[2];
        UnityAnalytics first = Component(arguments), again = Component(arguments);
        Send(first, "Awake");
        Send(again, "Awake");
        bool isGone = UnityEngine.Object.Destroyed.Contains(again.gameObject);
        if (!isGone) throw new InvalidOperationException("a scene has two");
        UnityAnalytics.Session.Track(new ScoreSubmitted("global", 15200));
        Send(first, "OnApplicationPause", true);
        Send(first, "OnApplicationPause", false);
        Send(again, "OnApplicationPause", false);
        Send(first, "OnApplicationQuit");
        Send(again, "OnApplicationQuit");
    }

    private static UnityAnalytics Component(string[] arguments)
    {
        var component = new UnityAnalytics();
        Field("url").SetValue(component, arguments[0]);
        Field("key").SetValue(component, arguments[1]);
        return component;
    }

    private static FieldInfo Field(string name)
    {
        FieldInfo field = typeof(UnityAnalytics).GetField(name, BindingFlags.Instance | BindingFlags.NonPublic);
        bool isShown = field.IsDefined(typeof(SerializeField), false);
        if (!isShown) throw new InvalidOperationException("Unity does not show " + name);
        return field;
    }

    private static void Send(object component, string message, params object[] values)
    {
        const BindingFlags Own = BindingFlags.Instance | BindingFlags.NonPublic;
        typeof(UnityAnalytics).GetMethod(message, Own).Invoke(component, values);
    }
}

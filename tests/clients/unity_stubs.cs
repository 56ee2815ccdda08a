// The types of UnityEngine that the example uses, with the signatures that Unity documents, and little behaviour.
using System;
using System.Collections.Generic;

namespace UnityEngine
{
    public class Object
    {
        public static readonly List<Object> Destroyed = new List<Object>();

        public static void Destroy(Object obj)
        {
            Destroyed.Add(obj);
        }

        public static void DontDestroyOnLoad(Object target) { }
    }

    public sealed class GameObject : Object { }

    public class Component : Object
    {
        private readonly GameObject _gameObject = new GameObject();

        public GameObject gameObject
        {
            get { return _gameObject; }
        }
    }

    public class Behaviour : Component { }

    public class MonoBehaviour : Behaviour { }

    [AttributeUsage(AttributeTargets.Field)]
    public sealed class SerializeField : Attribute { }

    public enum RuntimePlatform
    {
        OSXEditor = 0,
        OSXPlayer = 1,
        WindowsPlayer = 2,
        WindowsEditor = 7,
        IPhonePlayer = 8,
        Android = 11,
        LinuxPlayer = 13,
        LinuxEditor = 16,
        WebGLPlayer = 17,
        PS4 = 25,
        XboxOne = 27,
        Switch = 32,
        PS5 = 38,
    }

    public static class Application
    {
        public static string persistentDataPath { get; set; }

        public static string version
        {
            get { return "1.4.2"; }
        }

        public static RuntimePlatform platform
        {
            get { return RuntimePlatform.IPhonePlayer; }
        }
    }

    public static class SystemInfo
    {
        public static string operatingSystem
        {
            get { return "iOS 19.1"; }
        }

        public static string deviceModel
        {
            get { return "iPhone17,1 " + new string('x', 60); }
        }
    }

    public static class Debug
    {
        public static void LogWarning(object message)
        {
            Console.Error.WriteLine(message);
        }
    }

    public static class PlayerPrefs
    {
        private static readonly Dictionary<string, string> Texts = new Dictionary<string, string>();

        public static string GetString(string key)
        {
            string found;
            return Texts.TryGetValue(key, out found) ? found : "";
        }

        public static void SetString(string key, string value)
        {
            Texts[key] = value;
        }
    }
}

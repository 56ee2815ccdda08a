using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace PlayerAnalytics
{
    /// <summary>Where segments are: numbered runs of lines.</summary>
    internal interface IStore
    {
        /// <summary>Whether segments end with the process.</summary>
        bool IsVolatile { get; }

        /// <summary>Returns the numbers of the segments, the oldest first.</summary>
        IList<int> Open();

        byte[] Read(int number);

        /// <summary>Adds lines to a segment, which may be new.</summary>
        void Append(int number, byte[] lines);

        /// <summary>Writes a segment anew, in one step.</summary>
        void Replace(int number, byte[] lines);

        void Remove(int number);

        /// <summary>Leaves the segments to others.</summary>
        void Close();
    }

    /// <summary>Segments that end with the process.</summary>
    internal sealed class MemoryStore : IStore
    {
        private readonly Dictionary<int, MemoryStream> _segments = new Dictionary<int, MemoryStream>();

        public bool IsVolatile
        {
            get { return true; }
        }

        public IList<int> Open()
        {
            return new int[0];
        }

        public byte[] Read(int number)
        {
            MemoryStream found;
            return _segments.TryGetValue(number, out found) ? found.ToArray() : new byte[0];
        }

        public void Append(int number, byte[] lines)
        {
            if (!_segments.ContainsKey(number)) _segments[number] = new MemoryStream();
            _segments[number].Write(lines, 0, lines.Length);
        }

        public void Replace(int number, byte[] lines)
        {
            _segments.Remove(number);
            Append(number, lines);
        }

        public void Remove(int number)
        {
            _segments.Remove(number);
        }

        public void Close() { }
    }

    /// <summary>
    /// Segments in files, which survive the process. Each client has a folder of its own in the directory.
    /// </summary>
    internal sealed class DirectoryStore : IStore
    {
        // More clients that use one directory at the same time are a mistake.
        private const int MaxFolders = 256;
        private readonly string _directory;
        private string _folder;
        private FolderLock _lock;
        private FileStream _file;
        private int _number;

        public DirectoryStore(string directory)
        {
            _directory = directory;
        }

        public bool IsVolatile
        {
            get { return false; }
        }

        /// <summary>Takes the first folder that no client uses, and what clients that ended left in others.</summary>
        public IList<int> Open()
        {
            for (int slot = 0; _lock == null; slot++)
            {
                if (slot == MaxFolders) throw new IOException("no folder of the queue is free");
                _folder = Path.Combine(_directory, slot.ToString(CultureInfo.InvariantCulture));
                Directory.CreateDirectory(_folder);
                _lock = FolderLock.Take(_folder);
            }
            var numbers = Files(_folder).Select(Number).ToList();
            var folders = Directory.GetDirectories(_directory).OrderBy(path => path, StringComparer.Ordinal);
            foreach (string folder in folders.ToList())
            {
                FolderLock other = IsNumber(Path.GetFileName(folder)) ? FolderLock.Take(folder) : null;
                if (other == null) continue;
                foreach (string file in Files(folder))
                {
                    numbers.Add(numbers.LastOrDefault() + 1);
                    File.Move(file, At(numbers.Last()));
                }
                other.Dispose();
            }
            return numbers;
        }

        public byte[] Read(int number)
        {
            CloseFile();
            return File.ReadAllBytes(At(number));
        }

        public void Append(int number, byte[] lines)
        {
            if (_file == null || _number != number)
            {
                CloseFile();
                _file = new FileStream(At(number), FileMode.Append, FileAccess.Write, FileShare.Read);
                _number = number;
            }
            _file.Write(lines, 0, lines.Length);
            _file.Flush();
        }

        public void Replace(int number, byte[] lines)
        {
            CloseFile();
            string draft = Path.ChangeExtension(At(number), "draft");
            File.WriteAllBytes(draft, lines);
            File.Replace(draft, At(number), null);
        }

        public void Remove(int number)
        {
            CloseFile();
            File.Delete(At(number));
        }

        public void Close()
        {
            CloseFile();
            if (_lock != null) _lock.Dispose();
            _lock = null;
        }

        private void CloseFile()
        {
            FileStream file = _file;
            _file = null;
            if (file != null) file.Dispose();
        }

        private string At(int number)
        {
            return Path.Combine(_folder, number.ToString("D12", CultureInfo.InvariantCulture) + ".ndjson");
        }

        private static IEnumerable<string> Files(string folder)
        {
            return Directory.GetFiles(folder, "*.ndjson")
                .Where(path => IsNumber(Path.GetFileNameWithoutExtension(path)))
                .OrderBy(path => path, StringComparer.Ordinal).ToList();
        }

        private static int Number(string path)
        {
            return int.Parse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture);
        }

        private static bool IsNumber(string name)
        {
            return name.Length > 0 && name.All(c => c >= '0' && c <= '9');
        }
    }

    /// <summary>Holds a folder until it is disposed, against other processes and other clients of this one.</summary>
    internal sealed class FolderLock : IDisposable
    {
        // POSIX does not lock a file against its own process, and closing it twice would end the lock.
        private static readonly HashSet<string> Own = new HashSet<string>();
        private readonly string _folder;
        private readonly FileStream _file;

        private FolderLock(string folder, FileStream file)
        {
            _folder = folder;
            _file = file;
        }

        /// <summary>
        /// Returns a lock, null where another client has the folder. Throws where it cannot be written.
        /// </summary>
        public static FolderLock Take(string folder)
        {
            string path = Path.GetFullPath(folder);
            lock (Own)
            {
                if (!Own.Add(path)) return null;
                FileStream file = null;
                try
                {
                    // Windows and .NET keep others out by FileShare.None, Mono by the lock alone.
                    string name = Path.Combine(path, "lock");
                    file = new FileStream(name, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                    LockFile(file);
                    return new FolderLock(path, file);
                }
                catch (Exception error)
                {
                    Own.Remove(path);
                    if (file != null) file.Dispose();
                    if (error is IOException) return null;
                    throw;
                }
            }
        }

        public void Dispose()
        {
            lock (Own)
            {
                _file.Dispose();
                Own.Remove(_folder);
            }
        }

        private static void LockFile(FileStream file)
        {
            try
            {
                file.Lock(0, 1);
            }
            catch (NotSupportedException)
            {
                // .NET on Apple's systems has no such lock, and does not need it.
            }
            catch (NotImplementedException)
            {
                // Neither has Unity's IL2CPP everywhere.
            }
        }
    }
}

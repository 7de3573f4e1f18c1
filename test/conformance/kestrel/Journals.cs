using System.Collections.Concurrent;

namespace Trunkline.Conformance;

/// <summary>What happened to connections that gave a tag in their query, in order.</summary>
public sealed class Journals
{
  private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> _journals = new();

  public void Add(string tag, string what) =>
    _journals.GetOrAdd(tag, _ => new()).Enqueue(what);

  public string[] Read(string tag) =>
    _journals.TryGetValue(tag, out var entries) ? [.. entries] : [];
}

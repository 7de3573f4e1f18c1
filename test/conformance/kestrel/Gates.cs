using System.Collections.Concurrent;

namespace Trunkline.Conformance;

/// <summary>
/// Named gates, closed until somebody opens them: how a test decides what happens first.
/// </summary>
public sealed class Gates
{
  private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new();

  public Task Pass(string name) => Gate(name).Task;

  public void Open(string name) => Gate(name).TrySetResult();

  private TaskCompletionSource Gate(string name) =>
    _gates.GetOrAdd(name, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}

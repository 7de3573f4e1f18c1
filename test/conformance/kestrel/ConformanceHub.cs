using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;

namespace Trunkline.Conformance;

// ASP.NET Core knows hubs by their class, and so do their groups, users and options.
public sealed class Main(Notes notes) : ConformanceHub(notes);
public sealed class Other(Notes notes) : ConformanceHub(notes);
public sealed class Reach(Notes notes) : ConformanceHub(notes);
public sealed class Detailed(Notes notes) : ConformanceHub(notes);
public sealed class Impatient(Notes notes) : ConformanceHub(notes);

/// <summary>
/// The hub of ../hubs.ts, method by method. Those that error texts name are spelled as there. The
/// query of a connection chooses what happens as it connects.
/// </summary>
public abstract class ConformanceHub(Notes notes) : Hub
{
  private HttpRequest Request => Context.GetHttpContext()!.Request;

  private List<int> Numbers
  {
    get
    {
      if (!Context.Items.ContainsKey("kept")) Context.Items["kept"] = new List<int>();
      return (List<int>)Context.Items["kept"]!;
    }
  }

  public override async Task OnConnectedAsync()
  {
    Note("connecting");
    await Clients.Caller.SendAsync("welcome", Context.ConnectionId);
    if (Request.Query["gate"] is [{ } gate]) await notes.Pass(gate);
    if (Request.Query["refusal"] is [{ } refusal]) throw new HubException(refusal);
    Note("connected");
  }

  public override Task OnDisconnectedAsync(Exception? exception)
  {
    Note(exception is null ? "disconnected" : $"disconnected: {exception.Message}");
    return Task.CompletedTask;
  }

  public object? Echo(object? value) => value;

  public async Task<object?> EchoLater(object? value)
  {
    await Task.Yield();
    return value;
  }

  [HubMethodName("nothing")]
  public void Nothing() { }

  [HubMethodName("add")]
  public int Add(int a, int b) => a + b;

  [HubMethodName("refuse")]
  public void Refuse(string why) => throw new HubException(why);

  [HubMethodName("fail")]
  public void Fail() => throw new InvalidOperationException("a secret");

  [HubMethodName("failLater")]
  public async Task FailLater()
  {
    await Task.Yield();
    throw new InvalidOperationException("a secret");
  }

  public string ConnectionId() => Context.ConnectionId;

  public object About() => new
  {
    Context.ConnectionId,
    Context.UserIdentifier,
    Claims = Context.User!.Claims
      .GroupBy(claim => claim.Type, claim => claim.Value)
      .ToDictionary(claims => claims.Key, OneOrAll),
    Headers = Request.Headers.ToDictionary(
      header => header.Key.ToLowerInvariant(), header => header.Value.ToString()),
    Query = Request.Query.SelectMany(
      pair => pair.Value, (pair, value) => new[] { pair.Key, value }),
  };

  /// <summary>Keeps a number with the connection.</summary>
  public void Keep(int value) => Numbers.Add(value);

  public List<int> Kept() => Numbers;

  /// <summary>Sends <c>message</c> with 0, 1, 2 … to the caller.</summary>
  public async Task Count(int to)
  {
    for (var n = 0; n < to; n++) await Clients.Caller.SendAsync("message", n);
  }

  public Task Relay(JsonElement[] to, object?[] args) =>
    Destination.Select(Clients, to).SendCoreAsync("message", args);

  public Task Join(string group) => Groups.AddToGroupAsync(Context.ConnectionId, group);

  public Task Leave(string group) => Groups.RemoveFromGroupAsync(Context.ConnectionId, group);

  /// <summary>
  /// Sends the group 1, joins it, sends 2, leaves it, sends 3: the caller should hear 2 alone.
  /// </summary>
  public async Task Visit(string group)
  {
    await Clients.Group(group).SendAsync("message", 1);
    await Join(group);
    await Clients.Group(group).SendAsync("message", 2);
    await Leave(group);
    await Clients.Group(group).SendAsync("message", 3);
  }

  public void Abort() => Context.Abort();

  public Task<string[]> Journal(string tag) => notes.Read(tag);

  public Task Pass(string gate) => notes.Pass(gate);

  public Task Open(string gate) => notes.Open(gate);

  public async Task<object?> Ask(string connectionId, string question, int timeout)
  {
    using var cancellation = new CancellationTokenSource(timeout);
    return await Clients.Client(connectionId)
      .InvokeAsync<object?>("confirm", question, cancellation.Token);
  }

  [HubMethodName("countdown")]
  public async IAsyncEnumerable<int> Countdown(int from)
  {
    for (var n = from; n > 0; n--)
    {
      await Task.Yield();
      yield return n;
    }
  }

  /// <summary>
  /// One item, then nothing until the client cancels; then an entry in the journal.
  /// </summary>
  public async IAsyncEnumerable<string> UntilCancelled(
    string tag, [EnumeratorCancellation] CancellationToken cancellationToken)
  {
    yield return "first";
    var cancelled = new TaskCompletionSource();
    await using (cancellationToken.Register(cancelled.SetResult)) await cancelled.Task;
    notes.Add(tag, "cancelled");
  }

  public async IAsyncEnumerable<int> RefuseAfterOne(string why)
  {
    await Task.Yield();
    yield return 1;
    throw new HubException(why);
  }

  public async Task<int> Sum(IAsyncEnumerable<int> numbers)
  {
    var sum = 0;
    await foreach (var number in numbers) sum += number;
    return sum;
  }

  /// <summary>Joins two uploads to one text, the first one first.</summary>
  public async Task<string> Both(IAsyncEnumerable<int> a, string prefix, IAsyncEnumerable<int> b)
  {
    var text = prefix;
    await foreach (var number in a) text += number;
    await foreach (var number in b) text += number;
    return text;
  }

  public async Task<object?> First(IAsyncEnumerable<object?> items)
  {
    await foreach (var item in items) return item;
    return null;
  }

  /// <summary>How an upload that the client ends with an error looks here.</summary>
  public async Task<string> LastWords(IAsyncEnumerable<object?> items)
  {
    try
    {
      await foreach (var _ in items) { }
      return "no error";
    }
    catch (HubException error)
    {
      return error.Message;
    }
  }

  public async IAsyncEnumerable<int> Doubled(IAsyncEnumerable<int> numbers)
  {
    await foreach (var number in numbers) yield return number * 2;
  }

  private static object OneOrAll(IEnumerable<string> values) =>
    values.ToArray() is [var only] ? only : values;

  private void Note(string what)
  {
    if (Request.Query["tag"] is [{ } tag]) notes.Add(tag, what);
  }
}

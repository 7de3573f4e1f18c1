using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR;

namespace Trunkline.Interop;

/// <summary>What <see cref="Typed"/> calls on its clients.</summary>
public interface ITypedClient
{
  Task Message(string text);

  Task<string> Confirm(string question);
}

/// <summary>
/// What the hubs of the conformance tests leave out: clients behind an interface, channels, hub
/// filters. Its arguments have types that every hub protocol can bind.
/// </summary>
public sealed class Typed : Hub<ITypedClient>
{
  public string ConnectionId() => Context.ConnectionId;

  public Task Join(string group) => Groups.AddToGroupAsync(Context.ConnectionId, group);

  public Task Leave(string group) => Groups.RemoveFromGroupAsync(Context.ConnectionId, group);

  public Task Tell(string[] to, string text) => Selection.Select(Clients, to).Message(text);

  public Task<string> AskCaller(string question) => Clients.Caller.Confirm(question);

  public Task<string> Ask(string connectionId, string question) =>
    Clients.Client(connectionId).Confirm(question);

  public ChannelReader<int> Doubled(ChannelReader<int> numbers, CancellationToken cancellation)
  {
    var doubled = Channel.CreateBounded<int>(1);
    _ = Double();
    return doubled.Reader;

    async Task Double()
    {
      try
      {
        await foreach (var number in numbers.ReadAllAsync(cancellation))
        {
          await doubled.Writer.WriteAsync(number * 2, cancellation);
        }
        doubled.Writer.Complete();
      }
      catch (Exception error)
      {
        doubled.Writer.Complete(error);
      }
    }
  }

  /// <summary>Its error would not reach a client as it is.</summary>
  public void Blunder(string why) => throw new ArgumentException(why);

  public bool Filtered() => Context.Items.ContainsKey(ExcuseFilter.Seen);
}

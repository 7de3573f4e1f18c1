using System.Threading.Channels;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using static Trunkline.Interop.Common;

namespace Trunkline.Interop;

/// <summary>One connection to the hub of the conformance tests, and all it is for.</summary>
internal sealed class Visit(Uri hub, HttpTransportType transport, bool messagePack) : IVisit
{
  private readonly Channel<int> _messages = Channel.CreateUnbounded<int>();

  public override string ToString() => $"{transport} {(messagePack ? "messagepack" : "json")}";

  public async Task Run()
  {
    await using var connection = Build();
    connection.On<int>("message", number => _messages.Writer.TryWrite(number));
    connection.On("confirm", (string question) => $"yes: {question}");
    await connection.StartAsync();
    await Calls(connection);
    await Streams(connection);
    await Groups(connection);
    await ClientResults(connection);
    await connection.StopAsync();
    Expect(HubConnectionState.Disconnected, connection.State);
  }

  private HubConnection Build()
  {
    var builder = new HubConnectionBuilder().WithUrl(hub, options =>
    {
      options.Transports = transport;
      options.AccessTokenProvider = () => Task.FromResult<string?>(SignIn(new { userId = "ann" }));
    });
    if (messagePack) builder.AddMessagePackProtocol();
    return builder.Build();
  }

  private static async Task Calls(HubConnection connection)
  {
    Expect(5, await connection.InvokeAsync<int>("add", 2, 3));
    Expect("Jörg 🙂", await connection.InvokeAsync<string>("echo", "Jörg 🙂"));
    var large = new string('x', 300_000);
    Expect(large, await connection.InvokeAsync<string>("echo", large));
    try
    {
      await connection.InvokeAsync("refuse", "not today");
      throw new InvalidOperationException("it should have been refused");
    }
    catch (HubException error)
    {
      Expect(true, error.Message.EndsWith("HubException: not today"));
    }
  }

  private static async Task Streams(HubConnection connection)
  {
    Expect("3 2 1", await Joined(connection.StreamAsync<int>("countdown", 3)));
    Expect(6, await connection.InvokeAsync<int>("sum", Numbers()));
    Expect("2 4 6", await Joined(connection.StreamAsync<int>("doubled", Numbers())));
  }

  private async Task Groups(HubConnection connection)
  {
    // It is sent 1 before it has joined, 2 as a member, and 3 when it has left.
    await connection.InvokeAsync("visit", $"group {Guid.NewGuid()}");
    Expect(2, await _messages.Reader.ReadAsync());
    await connection.InvokeAsync("echo", "whatever was sent before is here now");
    Expect(0, _messages.Reader.Count);
  }

  private static async Task ClientResults(HubConnection connection)
  {
    var id = await connection.InvokeAsync<string>("connectionId");
    Expect(connection.ConnectionId, id);
    Expect("yes: sure?", await connection.InvokeAsync<string>("ask", id, "sure?", 5000));
  }

  private static async IAsyncEnumerable<int> Numbers()
  {
    for (var number = 1; number <= 3; number++)
    {
      await Task.Yield();
      yield return number;
    }
  }

  private static async Task<string> Joined(IAsyncEnumerable<int> numbers)
  {
    var all = new List<int>();
    await foreach (var number in numbers) all.Add(number);
    return string.Join(' ', all);
  }
}

// Does everything that the .NET client can do with a hub, over every transport and hub protocol, or
// stays for longer than it has signed in for, and ends with 0 when all has come out right:
//
//   ClientProgram <URL of the hub "main" of the conformance tests> [stay]

using Microsoft.AspNetCore.Http.Connections;
using Trunkline.Interop;

var hub = new Uri(args[0]);
HttpTransportType[] transports =
[
  HttpTransportType.WebSockets,
  HttpTransportType.ServerSentEvents,
  HttpTransportType.LongPolling,
];

if (args is [_, "stay"])
{
  await Task.WhenAll(transports.Select(transport => Try(new Stay(hub, transport))));
  return;
}

foreach (var transport in transports)
{
  await Try(new Visit(hub, transport, messagePack: false));
  // Server-sent events are text.
  if (transport == HttpTransportType.ServerSentEvents) continue;
  await Try(new Visit(hub, transport, messagePack: true));
}

static async Task Try(IVisit visit)
{
  await visit.Run().WaitAsync(TimeSpan.FromSeconds(20));
  Console.WriteLine($"done {visit}");
}

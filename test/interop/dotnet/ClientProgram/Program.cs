// Does everything that the .NET client can do with a hub, over every transport and hub protocol, and
// ends with 0 when all has come out right:
//
//   ClientProgram <URL of the hub "main" of the conformance tests>

using Microsoft.AspNetCore.Http.Connections;
using Trunkline.Interop;

var hub = new Uri(args.Single());
HttpTransportType[] transports =
[
  HttpTransportType.WebSockets,
  HttpTransportType.ServerSentEvents,
  HttpTransportType.LongPolling,
];

foreach (var transport in transports)
{
  await Try(new Visit(hub, transport, messagePack: false));
  // Server-sent events are text.
  if (transport == HttpTransportType.ServerSentEvents) continue;
  await Try(new Visit(hub, transport, messagePack: true));
}

static async Task Try(Visit visit)
{
  await visit.Run().WaitAsync(TimeSpan.FromSeconds(20));
  Console.WriteLine($"done {visit}");
}

// What the bench holds edges on Redis against: a hub that keeps its clients, with the Redis backplane
// at REDIS, and sends to all of them when it is asked to.

using Microsoft.AspNetCore.SignalR;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddSignalR().AddStackExchangeRedis(builder.Configuration["REDIS"]!);

var app = builder.Build();
app.MapHub<Bench>("/client");
app.MapPost("/send/{times:int}", (int times, IHubContext<Bench> hub) =>
  Task.WhenAll(Enumerable.Range(0, times).Select(
    _ => hub.Clients.All.SendAsync("tick", "thirty-two bytes of chat message"))));
app.Lifetime.ApplicationStarted.Register(
  () => Console.WriteLine($"listening {app.Urls.Single()}"));
app.Run();

class Bench : Hub
{
  // The client is in the hub's lists when it hears of it.
  public override Task OnConnectedAsync() =>
    Clients.Caller.SendAsync("tick", "thirty-two bytes of chat message");
}

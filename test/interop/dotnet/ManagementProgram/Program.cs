// Sends to the clients of the hub "main" and manages them, without being their app server:
//
//   ManagementProgram Transient|Persistent
//
// The service is named as for an app server, by Azure__SignalR__ConnectionString.

using Microsoft.Azure.SignalR.Management;
using Trunkline.Interop;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.Logging.SetMinimumLevel(LogLevel.Warning);
var app = builder.Build();
// What goes wrong is in the answer.
app.UseDeveloperExceptionPage();

using var manager = new ServiceManagerBuilder()
  .WithOptions(options =>
  {
    options.ConnectionString = app.Configuration["Azure:SignalR:ConnectionString"];
    options.ServiceTransportType = Enum.Parse<ServiceTransportType>(args.Single());
  })
  .BuildServiceManager();
using var hub = await manager.CreateHubContextAsync("main", CancellationToken.None);

app.MapPost("/main/negotiate", async (string userId) =>
{
  var options = new NegotiationOptions { UserId = userId };
  var response = await hub.NegotiateAsync(options);
  return new { response.Url, response.AccessToken };
});
app.MapPost("/manage", (Order order) => order.Obey(hub));
app.MapGet("/healthy", () => manager.IsServiceHealthy(CancellationToken.None));

app.Lifetime.ApplicationStarted.Register(
  () => Console.WriteLine($"listening {app.Urls.Single()}"));
await app.RunAsync();

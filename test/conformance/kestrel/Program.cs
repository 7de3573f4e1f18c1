// The control of the conformance tests: the contract of ../contract.ts on ASP.NET Core's own
// SignalR, without an edge. Clients negotiate with Kestrel and stay there.

using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Trunkline.Conformance;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.Logging.SetMinimumLevel(LogLevel.Critical);
builder.Services
  .Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1))
  // How long a client may be without a poll: the tests wait for the end of such a connection.
  .Configure<ConnectionOptions>(options => options.DisconnectTimeout = TimeSpan.FromSeconds(5))
  .AddSingleton<Notes>()
  .AddAuthentication(IdentityHandler.SchemeName)
  .AddScheme<IdentityOptions, IdentityHandler>(IdentityHandler.SchemeName, null);
builder.Services
  .AddSignalR(options => options.MaximumReceiveMessageSize = 1024 * 1024)
  .AddHubOptions<Detailed>(options => options.EnableDetailedErrors = true)
  .AddHubOptions<Impatient>(options => options.ClientTimeoutInterval = TimeSpan.FromSeconds(1));

var app = builder.Build();
var hubs = new Dictionary<string, IHubContext>();
Offer<Main>("main");
Offer<Other>("other");
Offer<Reach>("reach");
Offer<Detailed>("detailed");
Offer<Impatient>("impatient");

app.MapPost("/control", async (Control control) =>
{
  await control.Obey(hubs[control.Hub]);
  return Results.NoContent();
});

app.Lifetime.ApplicationStarted.Register(() =>
{
  foreach (var line in new[] { "listening", "connected" })
  {
    Console.WriteLine($"{line} {app.Urls.Single()}");
  }
});
app.Run();

void Offer<THub>(string name) where THub : Hub
{
  app.MapHub<THub>($"/{name}", options => options.CloseOnAuthenticationExpiration = true);
  hubs[name] = (IHubContext)app.Services.GetRequiredService<IHubContext<THub>>();
}

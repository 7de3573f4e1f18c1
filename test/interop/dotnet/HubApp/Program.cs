// The hubs of the conformance tests, and one for what they leave out, as an app server of a service
// that is named as the SDK has it: by Azure__SignalR__ConnectionString in the environment. Without
// it, this is the control, which keeps its clients.

using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Trunkline.Conformance;
using Trunkline.Interop;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services
  .Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(2))
  .Configure<ConnectionOptions>(options => options.DisconnectTimeout = TimeSpan.FromSeconds(5))
  .AddSingleton<Notes>()
  .AddAuthorization()
  .AddEverySignIn();

var signalR = builder.Services
  .AddSignalR(options => options.MaximumReceiveMessageSize = 1024 * 1024)
  .AddHubOptions<Detailed>(options => options.EnableDetailedErrors = true)
  .AddHubOptions<Impatient>(options => options.ClientTimeoutInterval = TimeSpan.FromSeconds(1))
  .AddHubOptions<Typed>(options =>
  {
    // A hub method that waits for its caller's answer needs a second one at a time.
    options.MaximumParallelInvocationsPerClient = 2;
    options.AddFilter<ExcuseFilter>();
  });
signalR.AddMessagePackProtocol();
if (builder.Configuration["Azure:SignalR:ConnectionString"] is not null) signalR.AddAzureSignalR();

var app = builder.Build();
app.UseAuthentication();
app.UseAuthorization();
app.MapHub<Typed>("/typed");
app.MapHub<Members>("/members");
app.MapHub<Greeter>("/greeter");

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
app.MapPost("/typed/tell", (Told told, IHubContext<Typed, ITypedClient> typed) =>
  Selection.Select(typed.Clients, told.To).Message(told.Text));
app.MapPost("/typed/ask", (string connectionId, IHubContext<Typed, ITypedClient> typed) =>
  typed.Clients.Client(connectionId).Confirm("from outside?"));
app.MapGet("/typed/members", (string group, int? pageSize) =>
  Membership.List<Typed>(app.Services, group, pageSize));
app.MapPost("/sign-in", (SignedIn person, HttpContext http) => person.Enter(http));

app.Lifetime.ApplicationStarted.Register(
  () => Console.WriteLine($"listening {app.Urls.Single()}"));
app.Run();

void Offer<THub>(string name) where THub : Hub
{
  app.MapHub<THub>($"/{name}", options => options.CloseOnAuthenticationExpiration = true);
  hubs[name] = (IHubContext)app.Services.GetRequiredService<IHubContext<THub>>();
}

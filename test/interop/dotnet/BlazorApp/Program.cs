// A counter on Blazor Server, whose circuits go through a service that is named as the SDK has it: by
// Azure__SignalR__ConnectionString in the environment. Without it, this is the control, which keeps
// its circuits.

using Microsoft.AspNetCore.DataProtection;
using Trunkline.Interop.Components;

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0").UseStaticWebAssets();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services
  .Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(2))
  // Keys are good for one process, and nothing is written to the home folder.
  .AddDataProtection()
  .UseEphemeralDataProtectionProvider();
builder.Services
  .AddRazorComponents()
  .AddInteractiveServerComponents()
  .AddHubOptions(options => options.MaximumReceiveMessageSize = 1024 * 1024);
if (builder.Configuration["Azure:SignalR:ConnectionString"] is not null)
{
  builder.Services.AddSignalR().AddAzureSignalR();
}

var app = builder.Build();
app.UseAntiforgery();
#if NET9_0_OR_GREATER
app.MapStaticAssets();
#endif
app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
app.Lifetime.ApplicationStarted.Register(
  () => Console.WriteLine($"listening {app.Urls.Single()}"));
app.Run();

using System.Text.Json;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using static Trunkline.Interop.Common;

namespace Trunkline.Interop;

/// <summary>
/// A connection that outlives the sign-in it was made with: clients of .NET 11 sign in anew by
/// themselves, where negotiate says for how long the sign-in is good.
/// </summary>
internal sealed class Stay(Uri hub, HttpTransportType transport) : IVisit
{
  private const int SignInSeconds = 4;

  /// <summary>How often the app has been told who this is.</summary>
  private int _signIns;

  public override string ToString() => $"{transport} stay";

  public async Task Run()
  {
    await using var connection = Build();
    await connection.StartAsync();
    var id = connection.ConnectionId;
    var first = await SignInOf(connection);
    await Task.Delay(TimeSpan.FromSeconds(2.5 * SignInSeconds));
    Expect(id, await connection.InvokeAsync<string>("connectionId"));
    var latest = await SignInOf(connection);
    Expect(true, latest > first);
    await connection.StopAsync();
  }

  private HubConnection Build() =>
    new HubConnectionBuilder().WithUrl(hub, options =>
    {
      options.Transports = transport;
      options.AccessTokenProvider = () => Task.FromResult<string?>(SignInAnew());
    }).Build();

  private string SignInAnew() =>
    SignIn(new
    {
      userId = "ann",
      signInSeconds = SignInSeconds,
      authenticationRefresh = true,
      claims = new { signIn = $"{++_signIns}" },
    });

  /// <summary>Of which sign-in the claims are that the hub sees.</summary>
  private static async Task<int> SignInOf(HubConnection connection)
  {
    var about = await connection.InvokeAsync<JsonElement>("about");
    return int.Parse(about.GetProperty("claims").GetProperty("signIn").GetString()!);
  }
}

using Microsoft.AspNetCore.SignalR;

namespace Trunkline.Interop;

/// <summary>Tells everybody, the newcomer too, of each newcomer.</summary>
public sealed class Greeter : Hub
{
  public override Task OnConnectedAsync() =>
    Clients.All.SendAsync("joined", Context.ConnectionId);
}

using Microsoft.AspNetCore.SignalR;

namespace Trunkline.Interop;

/// <summary>The body of <c>POST /typed/tell</c>.</summary>
public sealed record Told(string[] To, string Text);

/// <summary>
/// Whom to call: a selector and its names, as <c>["groupExcept","red","id 1","id 2"]</c>.
/// </summary>
public static class Selection
{
  /// <summary>Finds the selector's proxy, inside a hub or outside.</summary>
  public static T Select<T>(IHubClients<T> clients, string[] to) =>
    to switch
    {
      ["all"] => clients.All,
      ["allExcept", .. var ids] => clients.AllExcept(ids),
      ["client", var id] => clients.Client(id),
      ["clients", .. var ids] => clients.Clients(ids),
      ["group", var group] => clients.Group(group),
      ["groupExcept", var group, .. var ids] => clients.GroupExcept(group, ids),
      ["groups", .. var groups] => clients.Groups(groups),
      ["user", var user] => clients.User(user),
      ["users", .. var users] => clients.Users(users),
      ["caller"] => Inside(clients).Caller,
      ["others"] => Inside(clients).Others,
      ["othersInGroup", var group] => Inside(clients).OthersInGroup(group),
      _ => throw new ArgumentException($"there is no selector {string.Join(' ', to)}"),
    };

  private static IHubCallerClients<T> Inside<T>(IHubClients<T> clients) =>
    (IHubCallerClients<T>)clients;
}

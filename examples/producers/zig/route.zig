//! Shortest ways through a grid: slices, optionals, errors, tagged unions and a bounded allocator.

const std = @import("std");

const side = 16;
var buffer: [16 * 1024]u8 = undefined;

const Cell = union(enum) { free: u8, wall };

fn neighbours(at: usize) [4]?usize {
    const x = at % side;
    const y = at / side;
    return .{
        if (x > 0) at - 1 else null,
        if (x + 1 < side) at + 1 else null,
        if (y > 0) at - side else null,
        if (y + 1 < side) at + side else null,
    };
}

fn search(allocator: std.mem.Allocator, grid: []const Cell) !u32 {
    const cost = try allocator.alloc(u32, grid.len);
    defer allocator.free(cost);
    @memset(cost, std.math.maxInt(u32));
    const done = try allocator.alloc(bool, grid.len);
    defer allocator.free(done);
    @memset(done, false);
    cost[0] = 0;
    while (true) {
        var best: ?usize = null;
        for (cost, done, 0..) |value, is_done, at| {
            if (is_done or value == std.math.maxInt(u32)) continue;
            if (best == null or value < cost[best.?]) best = at;
        }
        const at = best orelse break;
        done[at] = true;
        for (neighbours(at)) |maybe| {
            const to = maybe orelse continue;
            switch (grid[to]) {
                .wall => {},
                .free => |step| cost[to] = @min(cost[to], cost[at] + step),
            }
        }
    }
    var total: u32 = 0;
    for (cost) |value| {
        if (value == std.math.maxInt(u32)) continue;
        total = total *% 31 +% value;
    }
    const root: f32 = @sqrt(@as(f32, @floatFromInt(total % 10_000)));
    return total ^ @as(u32, @intFromFloat(root * 1000));
}

/// A hash of the cheapest ways to all cells of the grid that a seed makes.
export fn answer(seed: u32) u32 {
    var bounded = std.heap.FixedBufferAllocator.init(&buffer);
    const allocator = bounded.allocator();
    const grid = allocator.alloc(Cell, side * side) catch return 0;
    var state = seed;
    for (grid) |*cell| {
        state = state *% 1664525 +% 1013904223;
        const pick: u8 = @truncate(state >> 24);
        cell.* = if (pick < 60) .wall else .{ .free = pick % 9 + 1 };
    }
    grid[0] = .{ .free = 1 };
    return search(allocator, grid) catch 1;
}

// The whole walk with one of the TypeScript clients: start, log, complete, recall, resources, prompts, errors.
// node walk.mjs v1|v2-legacy|v2-auto stdio|http|sse TARGET [ARGS…]     Prints one JSON line; exit status 1 on a wrong answer.
import assert from 'node:assert/strict';

const [, , kind, transportName, target, ...rest] = process.argv;
const v1 = kind === 'v1';

async function parts() {
  if (v1) {
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
    const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js');
    const { SSEClientTransport } = await import('@modelcontextprotocol/sdk/client/sse.js');
    const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
    return { Client, StdioClientTransport, SSEClientTransport, StreamableHTTPClientTransport };
  }
  const { Client, SSEClientTransport, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
  return { Client, StdioClientTransport, SSEClientTransport, StreamableHTTPClientTransport };
}

const { Client, StdioClientTransport, SSEClientTransport, StreamableHTTPClientTransport } = await parts();
const transport =
  transportName === 'stdio'
    ? new StdioClientTransport({ command: target, args: rest, env: process.env, stderr: 'ignore' })
    : transportName === 'http'
      ? new StreamableHTTPClientTransport(new URL(target))
      : new SSEClientTransport(new URL(target));
const options = v1 ? {} : { versionNegotiation: { mode: kind === 'v2-auto' ? 'auto' : 'legacy' } };
const client = new Client({ name: 'walk', version: '1' }, options);
await client.connect(transport);

const call = async (name, args) => {
  const result = await client.callTool({ name, arguments: args });
  assert.ok(!result.isError, JSON.stringify(result.content));
  const text = result.content[0].text; // plain lines for the model where there are some, else the same JSON
  if (text.startsWith('{')) assert.deepEqual(JSON.parse(text), result.structuredContent);
  else assert.ok(text.trim().length > 0);
  return result.structuredContent;
};

const tools = (await client.listTools()).tools.map((tool) => tool.name);
assert.ok(tools.includes('start_episode'));
const started = await call('start_episode', { task: 'make the conformance walk pass', tags: ['walk'] });
const episodeId = started.episode_id;
assert.equal((await call('log_step', { episode_id: episodeId, tool: 'bash', status: 'error', error: 'boom' })).step_index, 0);
const logged = await call('log_steps', { episode_id: episodeId, steps: [{ tool: 'edit' }, { tool: 'bash' }] });
assert.equal(logged.last_index, 2);
const completed = await call('complete_episode', { episode_id: episodeId, outcome: 'success', lessons: ['walk first'] });
assert.equal(completed.step_count, 3);
assert.ok((await call('recall', { query: 'conformance walk' })).recommendation_id);
assert.equal((await call('get_episode', { episode_id: episodeId, detail: 'steps' })).episode_id, episodeId);

const closed = await client.callTool({ name: 'log_step', arguments: { episode_id: episodeId, tool: 'x' } });
assert.ok(closed.isError && closed.content[0].text.startsWith('episode_closed: '));
const wrong = await client.callTool({ name: 'recall', arguments: { query: 'x', bogus: 1 } });
assert.ok(wrong.isError && wrong.content[0].text.startsWith('invalid_arguments: '));
await assert.rejects(client.callTool({ name: 'no_such_tool', arguments: {} }), (error) => error.code === -32602);

assert.ok((await client.readResource({ uri: `memory://episode/${episodeId}` })).contents[0].text.includes(episodeId));
await assert.rejects(client.readResource({ uri: 'memory://nothing' }), (error) => error.code === -32602);
assert.equal((await client.listPrompts()).prompts.length, 4);
assert.ok((await client.getPrompt({ name: 'recall_for_task', arguments: { task: 'walk' } })).messages.length);
const completion = await client.complete({
  ref: { type: 'ref/resource', uri: 'memory://episode/{episode_id}' },
  argument: { name: 'episode_id', value: episodeId.slice(0, 3) },
});
assert.ok(completion.completion.values.length >= 1);
await client.close();
console.log(JSON.stringify({ kind, transport: transportName, tools: tools.length, ok: true }));
process.exit(0);

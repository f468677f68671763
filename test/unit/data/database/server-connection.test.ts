import { describe, expect, it } from 'vitest';
import { ServerConnection, serverSocket } from '../../../../lib/data/database/server/server-connection.js';

const driver = { query: () => Promise.reject(new Error('not asked')), sayGoodbye: () => undefined };

describe('ServerConnection', () => {
  it('is lost at once when it is destroyed, before its end is told, so that nobody else gets it', async () => {
    const lost: ServerConnection[] = [];
    const connection = new ServerConnection(serverSocket(), driver, (one) => lost.push(one));
    expect(connection.isLost).toBe(false);
    connection.destroy();

    expect(connection.isLost).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(lost).toEqual([connection]);
  });

  it('leaves nothing behind on a socket that is gone, however often it is asked to keep the process alive', () => {
    const socket = serverSocket();
    const connection = new ServerConnection(socket, driver, () => undefined);
    connection.destroy();

    for (let turn = 0; turn < 20; turn++) connection.keepAlive(turn % 2 === 0);

    expect(socket.listenerCount('connect')).toBe(0);
  });
});

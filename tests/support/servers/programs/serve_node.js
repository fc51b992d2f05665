// Node's http server on an inherited socket.
'use strict';

const fs = require('node:fs');
const http = require('node:http');

const [descriptor, options] = process.argv.slice(2);
const server = http.createServer((request, response) => {
  fs.appendFileSync(process.env.SEEN, `${request.socket.remotePort}\n`);
  response.end('keep-alive\n');
});
Object.assign(server, JSON.parse(options));
server.listen({ fd: Number(descriptor) });
process.on('SIGUSR2', () => server.closeIdleConnections());
process.on('SIGTERM', () => process.exit());

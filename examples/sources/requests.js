#!/usr/bin/node
// SPDX-License-Identifier: GPL-2.0
// Requests over HTTP, each from another address of a prefix:
//   ip -6 route add local 2001:db8:5::/64 dev lo
//   requests.js 2001:db8:c::2 2001:db8:5:: 10000
const http = require('http');
const [host, prefix, count] = process.argv.slice(2);

function request(n) {
	if (n > count)
		return;
	http.get({ host, localAddress: prefix + n.toString(16), agent: false }, (response) => {
		if (response.statusCode != 200)
			throw new Error(`status ${response.statusCode}`);
		response.resume().on('end', () => request(n + 1));
	});
}

request(1);

// SPDX-License-Identifier: GPL-2.0
/*
 * Requests over HTTP, each from another address of a prefix, with a socket and with a channel in turn:
 *
 *	ip -6 route add local 2001:db8:5::/64 dev lo
 *	java Requests.java 2001:db8:c::2 2001:db8:5:: 10000
 */
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;

public class Requests {
	static void ask(OutputStream out, InputStream in) throws IOException {
		out.write("GET / HTTP/1.0\r\n\r\n".getBytes());
		String answer = new String(in.readAllBytes());
		if (!answer.contains(" 200 "))
			throw new IOException(answer);
	}

	static void socket(InetSocketAddress server, InetSocketAddress from) throws IOException {
		try (Socket socket = new Socket()) {
			socket.bind(from);
			socket.connect(server);
			ask(socket.getOutputStream(), socket.getInputStream());
		}
	}

	static void channel(InetSocketAddress server, InetSocketAddress from) throws IOException {
		try (SocketChannel channel = SocketChannel.open()) {
			channel.bind(from).connect(server);
			ask(Channels.newOutputStream(channel), Channels.newInputStream(channel));
		}
	}

	public static void main(String[] args) throws IOException {
		InetSocketAddress server = new InetSocketAddress(args[0], 80);
		for (int n = 1; n <= Integer.parseInt(args[2]); n++) {
			InetSocketAddress from = new InetSocketAddress(InetAddress.getByName(args[1] + Integer.toHexString(n)), 0);
			if (n % 2 == 0)
				socket(server, from);
			else
				channel(server, from);
		}
	}
}

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Executors;

/** The JDK's own server, com.sun.net.httpserver. */
class ServeJava {
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        Path seen = Path.of(System.getenv("SEEN"));
        InetAddress here = InetAddress.getLoopbackAddress();
        HttpServer server = HttpServer.create(new InetSocketAddress(here, port), 0);
        server.createContext("/", exchange -> {
            String line = exchange.getRemoteAddress().getPort() + "\n";
            Files.writeString(seen, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            byte[] body = "keep-alive\n".getBytes();
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.setExecutor(Executors.newCachedThreadPool());
        server.start();
    }
}

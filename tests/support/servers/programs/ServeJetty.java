import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.AbstractHandler;

/** Jetty, with two of the settings that its module http has. */
class ServeJetty {
    public static void main(String[] arguments) throws Exception {
        HttpConfiguration configuration = new HttpConfiguration();
        String kept = System.getProperty("jetty.httpConfig.persistentConnectionsEnabled", "true");
        configuration.setPersistentConnectionsEnabled(Boolean.parseBoolean(kept));
        Server server = new Server();
        HttpConnectionFactory factory = new HttpConnectionFactory(configuration);
        ServerConnector connector = new ServerConnector(server, factory);
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.parseInt(arguments[0]));
        connector.setIdleTimeout(Long.getLong("jetty.http.idleTimeout", 30_000));
        server.addConnector(connector);
        server.setHandler(new Answer());
        server.start();
    }

    private static class Answer extends AbstractHandler {
        @Override
        public void handle(
                String target,
                Request own,
                HttpServletRequest request,
                HttpServletResponse response)
                throws IOException {
            String line = request.getRemotePort() + "\n";
            Path seen = Path.of(System.getenv("SEEN"));
            Files.writeString(seen, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            response.getWriter().write("keep-alive\n");
            own.setHandled(true);
        }
    }
}

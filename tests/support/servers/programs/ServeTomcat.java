import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;

/** Tomcat, with attributes of its connector: NAME=VALUE. */
class ServeTomcat {
    public static void main(String[] arguments) throws Exception {
        Connector connector = new Connector();
        connector.setProperty("address", "127.0.0.1");
        connector.setPort(Integer.parseInt(arguments[0]));
        for (int at = 2; at < arguments.length; at++) {
            String[] attribute = arguments[at].split("=", 2);
            connector.setProperty(attribute[0], attribute[1]);
        }
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(arguments[1]);
        tomcat.setConnector(connector);
        Context context = tomcat.addContext("", null);
        Tomcat.addServlet(context, "answer", new Answer()).addMapping("/");
        tomcat.start();
        tomcat.getServer().await();
    }

    private static class Answer extends HttpServlet {
        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response)
                throws IOException {
            String line = request.getRemotePort() + "\n";
            Path seen = Path.of(System.getenv("SEEN"));
            Files.writeString(seen, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            response.getWriter().write("keep-alive\n");
        }
    }
}

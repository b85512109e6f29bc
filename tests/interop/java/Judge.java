import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateRevokedException;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Judges certificates as Java does (PKIX), many in one run.
 *
 * <p>The one argument is a file of cases, a line each: words of the form name=value, separated by tabs. Printed is
 * a line for each: the case's id, a tab, and "valid" or the reason why not, with the reason of the revocation.
 *
 * <p>id, certificate and anchors (paths joined by commas; DER or PEM) are needed. by is "list" (from where the
 * certificate says), "given-list" (list=path), "ocsp" (from where the certificate says, or from=URL) or
 * "given-answer" (answer=path). at is a time in seconds since 1970, instead of now. With qualifiers=accepted, policies
 * that are critical may be qualified, which Java refuses otherwise.
 */
public final class Judge {
    private static final CertificateFactory FACTORY = factory();

    public static void main(String[] arguments) throws IOException {
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            Map<String, String> words = new HashMap<>();
            for (String word : line.split("\t")) {
                int equals = word.indexOf('=');
                words.put(word.substring(0, equals), word.substring(equals + 1));
            }
            System.out.println(words.get("id") + "\t" + verdict(words));
        }
    }

    private static String verdict(Map<String, String> words) {
        try {
            X509Certificate certificate = certificate(words.get("certificate"));
            CertPathValidator validator = CertPathValidator.getInstance("PKIX");
            PKIXParameters parameters = new PKIXParameters(anchors(words.get("anchors")));
            parameters.setPolicyQualifiersRejected(!words.containsKey("qualifiers"));
            if (words.containsKey("at")) {
                parameters.setDate(Date.from(Instant.ofEpochSecond(Long.parseLong(words.get("at")))));
            }
            if (words.get("by").equals("given-list")) {
                // No checker of its own: that would fetch the list at the distribution point.
                var lists = FACTORY.generateCRLs(new ByteArrayInputStream(Files.readAllBytes(Path.of(words.get("list")))));
                parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(lists)));
            } else {
                PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
                checker.setOptions(EnumSet.of(Option.NO_FALLBACK));
                if (words.get("by").equals("list")) {
                    checker.setOptions(EnumSet.of(Option.NO_FALLBACK, Option.PREFER_CRLS));
                } else if (words.get("by").equals("given-answer")) {
                    checker.setOcspResponses(Map.of(certificate, Files.readAllBytes(Path.of(words.get("answer")))));
                } else if (words.containsKey("from")) {
                    checker.setOcspResponder(URI.create(words.get("from")));
                }
                parameters.addCertPathChecker(checker);
            }
            validator.validate(FACTORY.generateCertPath(List.of(certificate)), parameters);
            return "valid";
        } catch (CertPathValidatorException refusal) {
            return reason(refusal);
        } catch (GeneralSecurityException | IOException failure) {
            return failure.toString();
        }
    }

    private static String reason(CertPathValidatorException refusal) {
        String reason = refusal.getReason().toString();
        if (refusal.getCause() instanceof CertificateRevokedException revoked) {
            return reason + " " + revoked.getRevocationReason();
        }
        return reason;
    }

    private static Set<TrustAnchor> anchors(String paths) throws GeneralSecurityException, IOException {
        Set<TrustAnchor> anchors = new HashSet<>();
        for (String path : paths.split(",")) {
            anchors.add(new TrustAnchor(certificate(path), null));
        }
        return anchors;
    }

    private static X509Certificate certificate(String path) throws GeneralSecurityException, IOException {
        return (X509Certificate) FACTORY.generateCertificate(new ByteArrayInputStream(Files.readAllBytes(Path.of(path))));
    }

    private static CertificateFactory factory() {
        try {
            return CertificateFactory.getInstance("X.509");
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }
}

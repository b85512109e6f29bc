import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.List;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfoFactory;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;

/**
 * Signs an XML document as Java does, with the signature inside.
 *
 * <p>Arguments: the kind of key (RSA, EC), files with the private key (PKCS#8, DER), the certificate (DER) and the document, and the file to
 * write.
 */
public final class SignXml {
    private static final String MORE = "http://www.w3.org/2001/04/xmldsig-more#";

    public static void main(String[] arguments) throws Exception {
        byte[] pkcs8 = Files.readAllBytes(Path.of(arguments[1]));
        PrivateKey key = KeyFactory.getInstance(arguments[0]).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        Object certificate =
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(new ByteArrayInputStream(Files.readAllBytes(Path.of(arguments[2]))));
        DocumentBuilderFactory builders = DocumentBuilderFactory.newInstance();
        builders.setNamespaceAware(true);
        Document document = builders.newDocumentBuilder().parse(Path.of(arguments[3]).toFile());
        XMLSignatureFactory factory = XMLSignatureFactory.getInstance("DOM");
        Transform enveloped = factory.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null);
        DigestMethod digest = factory.newDigestMethod(DigestMethod.SHA256, null);
        Reference reference = factory.newReference("", digest, List.of(enveloped), null, null);
        SignedInfo signed =
                factory.newSignedInfo(
                        factory.newCanonicalizationMethod(
                                CanonicalizationMethod.EXCLUSIVE, (C14NMethodParameterSpec) null),
                        factory.newSignatureMethod(
                                MORE + (arguments[0].equals("RSA") ? "rsa-sha256" : "ecdsa-sha384"), null),
                        List.of(reference));
        KeyInfoFactory keys = factory.getKeyInfoFactory();
        factory.newXMLSignature(signed, keys.newKeyInfo(List.of(keys.newX509Data(List.of(certificate)))))
                .sign(new DOMSignContext(key, document.getDocumentElement()));
        TransformerFactory.newInstance()
                .newTransformer()
                .transform(new DOMSource(document), new StreamResult(Path.of(arguments[4]).toFile()));
    }
}

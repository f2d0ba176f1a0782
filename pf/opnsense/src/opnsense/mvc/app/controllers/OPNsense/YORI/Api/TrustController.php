<?php

namespace OPNsense\YORI\Api;

use OPNsense\Base\ApiControllerBase;
use OPNsense\Core\Backend;
use OPNsense\YORI\Control;

/** Who trusts the certificate, and how a device comes to do so. */
class TrustController extends ApiControllerBase
{
    public function getAction()
    {
        return Control::ask('trust');
    }

    /** The address of the page with the certificate, as SVG. */
    public function qrAction()
    {
        $found = Control::ask('qr');
        return isset($found['text']) ? ['svg' => $found['text']] : $found;
    }

    /** The root as a file: pem, or a profile for Apple's devices. */
    public function certificateAction($format = 'pem')
    {
        $isProfile = $format === 'mobileconfig';
        $text = (new Backend())->configdpRun('yori certificate', [$isProfile ? 'mobileconfig' : 'pem']);
        return ['name' => $isProfile ? 'yori.mobileconfig' : 'yori-root.pem', 'text' => (string)$text];
    }

    /** Shows the root under System: Trust: Authorities. */
    public function exportAction()
    {
        return $this->request->isPost() ? Control::ask('trust.export') : ['result' => 'failed'];
    }
}

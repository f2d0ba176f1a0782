<?php

namespace OPNsense\YORI\Api;

use OPNsense\Base\ApiControllerBase;
use OPNsense\YORI\Control;

/** One switch that ends all blocking for a while. */
class EmergencyController extends ApiControllerBase
{
    public function getStatusAction()
    {
        return Control::ask('emergency.status');
    }

    /** password, minutes (60), reason. */
    public function activateAction()
    {
        if (!$this->request->isPost()) {
            return ['result' => 'failed'];
        }
        $minutes = (string)$this->request->getPost('minutes');
        $reason = (string)$this->request->getPost('reason');
        $words = [ctype_digit($minutes) ? $minutes : '60', $reason !== '' ? $reason : 'OPNsense'];
        return Control::ask('emergency.activate', array_merge([$this->password('password')], $words));
    }

    public function deactivateAction()
    {
        if (!$this->request->isPost()) {
            return ['result' => 'failed'];
        }
        return Control::ask('emergency.deactivate', [$this->password('password')]);
    }

    /** new; and password, where one is set. */
    public function setPasswordAction()
    {
        if (!$this->request->isPost() || (string)$this->request->getPost('new') === '') {
            return ['result' => 'failed'];
        }
        return Control::ask('emergency.password', [$this->password('password') . ',' . $this->password('new')]);
    }

    private function password($name)
    {
        return Control::secret((string)$this->request->getPost($name));
    }
}

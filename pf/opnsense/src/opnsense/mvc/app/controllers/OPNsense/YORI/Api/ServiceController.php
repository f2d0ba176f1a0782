<?php

namespace OPNsense\YORI\Api;

use OPNsense\Base\ApiMutableServiceControllerBase;
use OPNsense\Base\UserException;
use OPNsense\Core\Backend;
use OPNsense\Firewall\Alias;
use OPNsense\YORI\Control;
use OPNsense\YORI\Problems;

/** Start, stop, restart, status, and a new configuration without a cut. */
class ServiceController extends ApiMutableServiceControllerBase
{
    protected static $internalServiceClass = '\OPNsense\YORI\General';
    protected static $internalServiceTemplate = 'OPNsense/YORI';
    protected static $internalServiceEnabled = 'enabled';
    protected static $internalServiceName = 'yori';

    /** A reload keeps what is under way; a stop would let everything pass meanwhile. */
    protected function reconfigureForceRestart()
    {
        return 0;
    }

    /** The rule set leads to the anchor, for the interfaces and ports that are set now. */
    protected function invokeFirewallReload()
    {
        return true;
    }

    /**
     * Settings, file, and YORI's word on the file, before it is told to read it.
     * @return array status ok; or failed, with validations by field
     */
    public function reconfigureAction()
    {
        if (!$this->request->isPost()) {
            return ['status' => 'failed'];
        }
        $backend = new Backend();
        $made = trim($backend->configdpRun('template reload', [static::$internalServiceTemplate]) ?? '');
        if ($made !== 'OK') {
            throw new UserException(
                gettext('The configuration of YORI could not be written. See the backend log for details.'),
                gettext('YORI')
            );
        }
        $checked = Control::ask('check');
        if (empty($checked['ok'])) {
            $problems = $checked['problems'] ?? [['wrong' => $checked['error'] ?? gettext('YORI does not answer.')]];
            return [
                'status' => 'failed',
                'result' => 'failed',
                'validations' => Problems::atFields($problems, $this->getModel()),
            ];
        }
        $result = parent::reconfigureAction();
        $backend->configdpRun('yori dns', [(string)$this->getModel()->dns_backend]);
        // The alias of the table is there from now on, or is gone.
        Alias::flushCacheData();
        return $result;
    }

    /**
     * settings/set and reconfigure in one, with the answers of both.
     * @return array result and status; validations by field where either failed
     */
    public function setAction()
    {
        $settings = new SettingsController();
        foreach (['request', 'response', 'session'] as $part) {
            if (isset($this->$part)) {
                $settings->$part = $this->$part;
            }
        }
        $saved = $settings->setAction();
        if (($saved['result'] ?? '') !== 'saved') {
            return $saved;
        }
        return array_merge($saved, $this->reconfigureAction());
    }

    /** What the running YORI says of itself. */
    public function summaryAction()
    {
        return Control::ask('summary');
    }

    /** What is steered, and when it could not be. */
    public function steeringAction()
    {
        return Control::ask('steer.status');
    }

    /** Leads packets to YORI, or past it, until the next start. */
    public function steerAction($wanted = 'on')
    {
        if (!$this->request->isPost() || !in_array($wanted, ['on', 'off'], true)) {
            return ['status' => 'failed'];
        }
        return ['response' => trim((new Backend())->configdRun('yori steer.' . $wanted) ?? '')];
    }
}

<?php

namespace OPNsense\YORI\Api;

use OPNsense\Base\ApiControllerBase;
use OPNsense\YORI\Control;
use OPNsense\YORI\General;

/** Whether policies may block, and what stands against it. */
class EnforcementController extends ApiControllerBase
{
    /** The fields of the model that it is made of. */
    private const FIELDS = ['mode', 'enforcement_enabled', 'consent_accepted', 'list_mode'];

    /** What is set, and what is in force. */
    public function statusAction()
    {
        return ['set' => $this->fields(), 'in_force' => Control::ask('policies')];
    }

    public function getAction()
    {
        return ['enforcement' => $this->fields()];
    }

    /** Of yori[...] those fields alone, then reconfigure: see service/set. */
    public function setAction()
    {
        if (!$this->request->isPost()) {
            return ['result' => 'failed'];
        }
        $given = $this->request->getPost('yori');
        $others = array_diff(array_keys(is_array($given) ? $given : []), self::FIELDS);
        if ($others) {
            return ['result' => 'failed', 'validations' => array_fill_keys(
                array_map(fn ($field) => 'yori.' . $field, $others),
                gettext('This is none of enforcement.')
            )];
        }
        $service = new ServiceController();
        foreach (['request', 'response', 'session'] as $part) {
            if (isset($this->$part)) {
                $service->$part = $this->$part;
            }
        }
        return $service->setAction();
    }

    /** How one policy stands, and what it takes. */
    public function testAction($policy = '')
    {
        $named = fn ($row) => ($row['name'] ?? null) === $policy;
        $found = array_values(array_filter(Control::rows('policies', 'policies'), $named));
        return $found ? ['policy' => $found[0]] : ['error' => gettext('There is no such policy.'), 'status' => 404];
    }

    /** Every policy that there is, with its parameters. */
    public function catalogueAction()
    {
        return Control::ask('catalogue');
    }

    /** The words that whoever consents has read. */
    public function getConsentWarningAction()
    {
        return ['warning' => gettext('Blocking can break applications, automation and school work, and whoever ' .
            'makes YORI fail gets through. Devices that do not trust the certificate of YORI are not blocked ' .
            'by what policies read.')];
    }

    private function fields()
    {
        $model = new General();
        return array_combine(self::FIELDS, array_map(fn ($name) => (string)$model->$name, self::FIELDS));
    }
}
